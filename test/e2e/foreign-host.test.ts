/** A third-party program as a host: an image with neither `ip` nor our agent, behind a lab's NAT. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { connectEngine } from "../../orchestrator/runtime/docker/engine.ts";
import { ensureImage } from "../../orchestrator/setup/images.ts";
import { needs } from "../support/needs.ts";
import { latestResult, runCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("engine");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let image: string;

beforeAll(async () => {
  directory = await temporaryDirectory();
  image = await ensureImage(await connectEngine(), "tools", () => undefined);
});
afterAll(() => directory.remove());

async function runHost(command: string) {
  const topology = `
name: foreign-host
summary: A foreign program behind a NAT
segments:
  internet: { ipv4: 198.18.0.0/24, ipv6: 2001:db8:0:1::/64 }
  home-lan: { ipv4: 192.168.1.0/24 }
nodes:
  ha-a: { role: home-agent, on: internet, homePrefix: 2001:db8:a::/64 }
  nat-a: { role: router, wan: internet, lan: home-lan, nat: port-restricted-cone, addresses: { internet: { ipv4: 198.18.0.77 } } }
  probe: { role: host, on: home-lan, image: "${image}", command: [sh, -c, ${JSON.stringify(command)}] }
`;
  await writeFile(join(directory.path, "foreign-host.yaml"), topology);
  const run = await runCli(["foreign-host.yaml", "--out", "results", "--runtime", "docker"], { cwd: directory.path });
  const result = await latestResult(join(directory.path, "results"));
  const log = await readFile(join(directory.path, "results/latest/logs/probe.log"), "utf8");
  return { run, result, log };
}

test("coturn's STUN client learns its outside address from the home agent's STUN server", async () => {
  // After its answer the client requests one from another address, which the NAT drops, and waits forever.
  const { run, result, log } = await runHost(
    'if command -v ip; then exit 9; fi; timeout 2 turnutils_stunclient "$MICE_NODE_HA_A_IPV4"; exit 0',
  );
  expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(log).toMatch(/UDP reflexive addr: 198\.18\.0\.77:\d+/);
  expect(result).toMatchObject({ verdict: "pass", hosts: [{ name: "probe", image, exitCode: 0 }] });
});

test("a foreign program that fails, fails the run with its exit code", async () => {
  const { run, result, log } = await runHost("echo no luck; exit 5");
  expect(run.exitCode).toBe(1);
  expect(log).toContain("no luck");
  expect(result.expectations).toMatchObject([
    { subject: { host: "probe" }, key: "exit", expected: 0, observed: 5, verdict: "fail" },
  ]);
});
