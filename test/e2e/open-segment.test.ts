/** Hosts in the open and on a segment that leads nowhere, which send to addresses that nobody has. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { needs } from "../support/needs.ts";
import { latestResult, runCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("netns");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

/** Bash ends with an error where the kernel refuses to send. */
const SEND_TO_NOBODY = "echo x > /dev/udp/192.168.7.7/9 && echo x > /dev/udp/2001:db8:77::7/9";

const TOPOLOGY = `
name: to-nobody
summary: Hosts send to addresses that nobody has
segments:
  internet: { ipv4: 198.18.0.0/24, ipv6: 2001:db8:0:1::/64 }
  home: { ipv4: 192.168.1.0/24 }
  island-lan: { ipv4: 10.99.0.0/24 }
nodes:
  stun: { role: stun-server, on: internet }
  nat: { role: router, wan: internet, lan: home, nat: home-router }
  open: { role: host, on: internet, image: none, command: [bash, -c, ${JSON.stringify(SEND_TO_NOBODY)}] }
  inside: { role: host, on: home, image: none, command: [bash, -c, "exec 3<>/dev/udp/192.168.7.7/9; echo x >&3; sleep 0.2; echo x >&3"] }
  island: { role: host, on: island-lan, image: none, command: [bash, -c, "! echo x > /dev/udp/192.168.7.7/9"] }
`;

test("the internet swallows what is sent to them, behind a NAT too; an island cannot send", async () => {
  await writeFile(join(directory.path, "to-nobody.yaml"), TOPOLOGY);
  const { exitCode } = await runCli(["to-nobody.yaml", "--out", "results", "--runtime", "netns"], {
    cwd: directory.path,
  });
  const { hosts } = await latestResult(join(directory.path, "results"));
  expect(hosts.map(({ name, exitCode: code }) => [name, code])).toEqual([
    ["open", 0],
    ["inside", 0],
    ["island", 0],
  ]);
  expect(exitCode).toBe(0);
});
