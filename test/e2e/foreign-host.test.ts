/** A third-party program as a host: an image with neither `ip` nor our agent, behind a lab's NAT. */

import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
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
  expect(result).toMatchObject({
    verdict: "pass",
    hosts: [{ name: "probe", source: { type: "image", image }, exitCode: 0 }],
  });
});

test("a foreign program that fails, fails the run with its exit code", async () => {
  const { run, result, log } = await runHost("echo no luck; exit 5");
  expect(run.exitCode).toBe(1);
  expect(log).toContain("no luck");
  expect(result.expectations).toMatchObject([
    { subject: { host: "probe" }, key: "exit", expected: 0, observed: 5, verdict: "fail" },
  ]);
});

/** Runs a host on a lone segment; `keys` are those of its entry, `others` more nodes. */
async function runAlone(keys: string, others = "") {
  const text = `name: alone
summary: A host of a user's own
segments: { lan: { ipv4: 198.18.7.0/24 } }
nodes: { h: { role: host, on: lan, ${keys} }${others} }
`;
  await writeFile(join(directory.path, "alone.yaml"), text);
  const run = await runCli(["alone.yaml", "--out", "alone"], { cwd: directory.path });
  const log = await readFile(join(directory.path, "alone/latest/logs/h.log"), "utf8").catch(() => "");
  const output = run.stdout + run.stderr;
  for (const [, tag] of output.matchAll(/building (mice-testbed\/program:\S+) from/g))
    if (tag !== undefined) built.add(tag);
  return { exitCode: run.exitCode, output, log };
}

/** Images that these tests have built. */
const built = new Set<string>();

afterAll(async () => {
  const { docker } = await connectEngine();
  for (const tag of built)
    await docker
      .getImage(tag)
      .remove({ force: true })
      .catch(() => undefined);
});

test("a host is built from a folder, given its files, and built again only when the folder has changed", async () => {
  const folder = join(directory.path, "stack");
  await mkdir(folder);
  const dockerfile =
    'ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nCOPY greeting /greeting\nCMD ["cat", "/greeting", "/etc/who"]\n';
  await writeFile(join(folder, "Dockerfile"), dockerfile);
  // Nobody has built from this content before.
  const hello = `hello ${randomBytes(8).toString("hex")}\n`;
  await writeFile(join(folder, "greeting"), hello);
  const keys = 'build: ./stack, files: { /etc/who: { text: "world\\n" } }';
  const first = await runAlone(keys);
  expect(first).toMatchObject({ exitCode: 0, log: `${hello}world\n` });
  expect(first.output).toContain("h: building mice-testbed/program:");
  expect((await runAlone(keys)).output).not.toContain("building");
  await writeFile(join(folder, "greeting"), `good day and ${hello}`);
  const changed = await runAlone(keys);
  expect(changed.log).toBe(`good day and ${hello}world\n`);
  expect(changed.output).toContain("h: building mice-testbed/program:");
});

test("a folder that two hosts are built from is built once", async () => {
  const folder = join(directory.path, "shared");
  await mkdir(folder);
  const dockerfile = `ARG BASE_IMAGE\nFROM \${BASE_IMAGE}\nENV WORD=${randomBytes(8).toString("hex")}\nCMD ["true"]\n`;
  await writeFile(join(folder, "Dockerfile"), dockerfile);
  const { exitCode, output } = await runAlone("build: ./shared", ", i: { extends: h }");
  expect({ exitCode, builds: output.match(/building \S+ from/g)?.length }).toEqual({ exitCode: 0, builds: 1 });
});

test("what cannot be built, and an image that is not there, end the run with the reason before anything is made", async () => {
  const folder = join(directory.path, "broken");
  await mkdir(folder);
  await writeFile(join(folder, "Dockerfile"), "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nRUN echo compiling && exit 3\n");
  const broken = await runAlone("build: ./broken");
  expect(broken.exitCode).toBe(3);
  expect(broken.output).toMatch(
    /building mice-testbed\/program:\S+ failed:\n[^]*compiling\n[^]*returned a non-zero code: 3/,
  );
  const missing = await runAlone("image: no-such-image:anywhere");
  expect(missing.exitCode).toBe(3);
  expect(missing.output).toContain("node h needs the image no-such-image:anywhere");
  expect(`${broken.output}${missing.output}`).not.toContain("segments: lan");
});
