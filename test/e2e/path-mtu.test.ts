/** Links that carry no large packets, or no fragments, as `ping` sees them in both runtimes: a client that is not ours. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { connectEngine } from "../../orchestrator/runtime/docker/engine.ts";
import { ensureImage } from "../../orchestrator/setup/images.ts";
import { needs } from "../support/needs.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("netns", "engine");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

/** What `ping` sends, and what it says: octets of data, with 28 of headers over IPv4 and 48 over IPv6. */
const PINGS: readonly (readonly [sends: string, says: string])[] = [
  ["-M do -s 1252 198.18.1.11", "1 received"],
  ["-M do -s 1253 198.18.1.11", "mtu = 1280"],
  ["-M dont -s 1400 198.18.1.11", "1 received"],
  ["-M do -s 1232 2001:db8:1::11", "1 received"],
  ["-M do -s 1233 2001:db8:1::11", "mtu = 1280"],
  ["-M do -s 1252 198.18.1.12", "1 received"],
  ["-M do -s 1253 198.18.1.12", "0 received"],
  ["-M dont -s 1253 198.18.1.12", "0 received"],
  ["-M do -s 1232 2001:db8:1::12", "1 received"],
  ["-M do -s 1233 2001:db8:1::12", "0 received"],
  ["-M do -s 1472 198.18.1.13", "1 received"],
  ["-M dont -s 1600 198.18.1.13", "0 received"],
  ["-M dont -s 1600 2001:db8:1::13", "0 received"],
  ["-M do -s 1096 198.18.2.21", "1 received"],
  ["-M do -s 1097 198.18.2.21", "mtu = 1124"],
  ["-M do -s 1096 198.18.2.22", "1 received"],
  ["-M do -s 1097 198.18.2.22", "0 received"],
];

/** All at once, since those that nobody answers wait for a second. Each says what it has seen on a line of its own. */
const SCRIPT = `${PINGS.map(([sends], i) => `(echo "ping ${i}:" $(ping -n -c 1 -W 1 ${sends} 2>&1)) &`).join(" ")} wait`;

function topologyOf(image: string | undefined): string {
  const source = image === undefined ? "" : `image: "${image}", `;
  const server = (segment: string, host: number): string => {
    const ipv4 = segment === "both" ? `198.18.1.${host}, ipv6: "2001:db8:1::${host}"` : `198.18.2.${host}`;
    return `{ role: stun-server, on: ${segment}, addresses: { ${segment}: { ipv4: ${ipv4} } } }`;
  };
  return `
name: path-mtu
summary: Servers behind links that carry no large packets, or no fragments
segments:
  both: { ipv4: 198.18.1.0/24, ipv6: "2001:db8:1::/64" }
  old: { ipv4: 198.18.2.0/24 }
nodes:
  asker: { role: host, on: [both, old], ${source}capabilities: [NET_RAW], command: [sh, -c, ${JSON.stringify(SCRIPT)}] }
  tells: ${server("both", 11)}
  silent: ${server("both", 12)}
  whole: ${server("both", 13)}
  narrow: ${server("old", 21)}
  black-hole: ${server("old", 22)}
links:
  tells/both: { mtu: 1280 }
  silent/both: { mtu: 1280, tooBig: drop }
  whole/both: { fragments: drop }
  narrow/old: { mtu: 1124, tooBig: icmp }
  black-hole/old: { mtu: 1124, tooBig: drop }
`;
}

async function pingsOn(runtime: "netns" | "docker", image?: string): Promise<void> {
  const file = `${runtime}.yaml`;
  await writeFile(join(directory.path, file), topologyOf(image));
  const args = [file, "--out", runtime, "--runtime", runtime, "--no-capture"];
  const run = await runCli(args, { cwd: directory.path });
  const log = await readFile(join(directory.path, runtime, "latest/logs/asker.log"), "utf8");
  expect(run.exitCode, run.stdout + run.stderr + log).toBe(0);
  // Both IP versions of `ping` write the MTU, one of them without spaces.
  const seen = log.replaceAll("mtu=", "mtu = ").split("\n");
  for (const [i, [, says]] of PINGS.entries())
    expect(seen.find((line) => line.startsWith(`ping ${i}:`))).toContain(says);
}

test.concurrent("ping sees what links of netns carry", () => pingsOn("netns"));

test.concurrent("ping sees what links of Docker carry", async () => {
  const image = await ensureImage(await connectEngine(), "tools", () => undefined);
  await pingsOn("docker", image);
});
