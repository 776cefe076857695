/**
 * Programs that are not ours in an IPv6-only network: dig asks for a server with IPv4 alone, curl fetches from it. And
 * agents in one on Docker.
 */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { needs } from "../support/needs.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("netns", "engine");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

/** Answers on TCP port 8000 what the web server has, and on UDP port 7 what it is sent. */
const SERVE =
  "import http.server, socket, threading; " +
  "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('198.18.1.2', 7)); " +
  "threading.Thread(target=lambda: [s.sendto(*s.recvfrom(9999)) for _ in iter(int, 1)], daemon=True).start(); " +
  "http.server.test(http.server.SimpleHTTPRequestHandler, port=8000, bind='198.18.1.2')";

/** Sends 3000 octets, which no packet holds, and prints how many come back. */
const ECHO =
  "import socket; s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.settimeout(5); " +
  "s.sendto(bytes(3000), ('64:ff9b::c612:102', 7)); print(len(s.recv(9999)))";

const ASKS = [
  "dig +short server AAAA",
  "dig +short plat AAAA",
  "dig +short ipv4only.arpa AAAA",
  "curl -s --retry 20 --retry-connrefused --retry-delay 1 -o /dev/null -w '%{http_code} %{remote_ip}\\n' http://server:8000/",
  `python3 -c "${ECHO}"`,
].join(" && ");

test("a host with IPv6 alone finds a server with IPv4 alone by its name, and talks with it over TCP and UDP", async () => {
  const topology = `
name: nat64-programs
summary: A program with IPv6 alone and a server with IPv4 alone
segments:
  internet: { ipv4: 198.18.0.0/24, ipv6: 2001:db8:0:1::/64 }
  legacy: { ipv4: 198.18.1.0/24 }
  mobile: { ipv6: 2001:db8:1:1::/64, dns: resolver }
nodes:
  plat: { role: router, wan: internet, lan: mobile, nat64: { prefix: "64:ff9b::/96", preset: port-restricted-cone } }
  gate: { role: router, wan: internet, lan: legacy }
  resolver: { role: dns, on: internet, dns64: "64:ff9b::/96" }
  server: { role: host, on: legacy, service: true, command: [python3, -c, ${JSON.stringify(SERVE)}] }
  asker: { role: host, on: mobile, command: ${JSON.stringify(ASKS)} }
`;
  await writeFile(join(directory.path, "nat64-programs.yaml"), topology);
  const args = ["nat64-programs.yaml", "--out", "results", "--runtime", "netns", "--no-capture"];
  const run = await runCli(args, { cwd: directory.path });
  const log = await readFile(join(directory.path, "results/latest/logs/asker.log"), "utf8");
  expect(run.exitCode, run.stdout + run.stderr + log).toBe(0);
  const [server, plat, first, second, fetched, echoed] = log.split("\n");
  expect(server).toBe("64:ff9b::c612:102");
  // A name with an IPv6 address of its own needs none that is synthesised.
  expect(plat).toBe("2001:db8:0:1::2");
  // RFC 7050 section 8: how a program discovers the prefix.
  expect([first, second].toSorted()).toEqual(["64:ff9b::c000:aa", "64:ff9b::c000:ab"]);
  expect(fetched).toBe("200 64:ff9b::c612:102");
  expect(echoed).toBe("3000");
});

test("on Docker too, agents with IPv6 alone reach IPv4 through the NAT64, which is verified", async () => {
  const args = ["nat64", "--out", "docker", "--runtime", "docker", "--no-capture", "--json"];
  const { exitCode, stdout, stderr } = await runCli(args, { cwd: directory.path });
  expect(exitCode, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    runtime: "docker",
    verdict: "pass",
    sessions: [{ path: "direct" }],
    routers: [
      { name: "plat", agrees: true },
      { name: "nat-b", agrees: true },
    ],
  });
});
