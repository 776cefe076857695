/** The lab's own name server, asked by clients that are not ours: dig, and the C library. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { needs } from "../support/needs.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("netns");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

const ASKS = [
  "dig +short ha A",
  "dig +short ha AAAA",
  "dig +short -x 198.18.0.2",
  "dig nobody | grep -o NXDOMAIN",
  "getent ahostsv4 ha | head -n 1",
  "! getent ahosts nobody",
].join(" && ");

test("a host behind a NAT is answered for the lab's names, and for no others", async () => {
  const topology = `
name: name-server
summary: A host asks the lab's name server
segments:
  internet: { ipv4: 198.18.0.0/24, ipv6: 2001:db8:0:1::/64 }
  home-lan: { ipv4: 192.168.1.0/24, dns: resolver }
nodes:
  ha: { role: home-agent, on: internet, homePrefix: 2001:db8:a::/64 }
  resolver: { role: dns, on: internet }
  nat: { role: router, wan: internet, lan: home-lan, nat: port-restricted-cone }
  asker: { role: host, on: home-lan, command: ${JSON.stringify(ASKS)} }
`;
  await writeFile(join(directory.path, "name-server.yaml"), topology);
  const args = ["name-server.yaml", "--out", "results", "--runtime", "netns", "--no-capture"];
  const run = await runCli(args, { cwd: directory.path });
  const log = (node: string) => readFile(join(directory.path, `results/latest/logs/${node}.log`), "utf8");
  const [ipv4, ipv6, name, status, fromLibrary] = (await log("asker")).split("\n");
  expect(run.exitCode, run.stdout + run.stderr).toBe(0);
  expect([ipv4, ipv6, name, status]).toEqual(["198.18.0.2", "2001:db8:0:1::2", "ha.", "NXDOMAIN"]);
  expect(fromLibrary).toMatch(/^198\.18\.0\.2\s/);
  expect(await log("resolver")).toContain("unbound: ");
});
