/**
 * Ports of a NAT that hosts ask for themselves, by clients that are not ours (natpmpc, upnpc), and are reached by from
 * outside.
 */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { connectEngine } from "../../orchestrator/runtime/docker/engine.ts";
import type { RuntimeName } from "../../orchestrator/runtime/runtime-name.ts";
import { ensureImage } from "../../orchestrator/setup/images.ts";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { needs } from "../support/needs.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("engine", "netns");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
/** On Docker hosts run in an image that has the clients, on netns they are programs of this machine. */
let images: Readonly<Record<RuntimeName, string>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
  images = { netns: "none", docker: await ensureImage(await connectEngine(), "tools", () => undefined) };
});
afterAll(() => directory.remove());

const script = (name: string): string => join(PACKAGE_ROOT, "test/e2e/port-mapping", name);

/** Runs `asks` on a host behind a NAT on `network`, and `outside.pl` in front of it if anything was granted. */
async function run(
  runtime: RuntimeName,
  {
    network,
    portMapping,
    asks,
    isReached,
  }: { network: string; portMapping: string; asks: string[]; isReached: boolean },
) {
  const image = images[runtime];
  const commands = isReached ? [...asks, 'perl /opt/inside.pl "$MICE_NODE_OUTSIDE_IPV4"'] : asks;
  const outside = isReached ? 'perl /opt/outside.pl "$MICE_NODE_NAT_IPV4"' : "exit 0";
  const topology = `
name: port-mapping
summary: A host asks its router for ports
segments:
  internet: { ipv4: ${network} }
  home-lan: { ipv4: 192.168.1.0/24 }
nodes:
  nat: { role: router, wan: internet, lan: home-lan, nat: { preset: home-router, portMapping: ${portMapping} } }
  inside:
    role: host
    on: home-lan
    image: "${image}"
    files: { /opt/inside.pl: ${script("inside.pl")}, /opt/pcp.pl: ${script("pcp.pl")} }
    command: ${JSON.stringify(commands.join("\n"))}
  outside:
    role: host
    on: internet
    image: "${image}"
    files: { /opt/outside.pl: ${script("outside.pl")} }
    command: ${JSON.stringify(outside)}
`;
  await writeFile(join(directory.path, "port-mapping.yaml"), topology);
  const args = ["port-mapping.yaml", "--out", runtime, "--runtime", runtime, "--no-capture", "--timeout", "60"];
  const { exitCode, stdout, stderr } = await runCli(args, { cwd: directory.path });
  const log = (node: string) => readFile(join(directory.path, `${runtime}/latest/logs/${node}.log`), "utf8");
  return { exitCode, output: stdout + stderr, inside: await log("inside"), outside: await log("outside") };
}

const BY_NAT_PMP = "natpmpc -g 192.168.1.1 -a 9000 7000 udp 600";
const BY_PCP = 'perl /opt/pcp.pl 192.168.1.1 "$MICE_SELF_IPV4"';
const BY_UPNP = 'upnpc -m home-lan -a "$MICE_SELF_IPV4" 7003 9003 tcp 600';

test.each(["netns", "docker"] as const)(
  "%s: a host is reached from outside by the ports that it asked for, and by no other",
  async (runtime) => {
    const ran = await run(runtime, {
      network: "11.22.33.0/24",
      portMapping: "[pcp, nat-pmp, upnp]",
      asks: [`${BY_NAT_PMP} | grep Mapped`, BY_PCP, `${BY_UPNP} | grep redirected`],
      isReached: true,
    });
    expect(ran.exitCode, ran.output + ran.inside + ran.outside).toBe(0);
    expect(ran.inside).toMatch(
      /^Mapped public port 9000 protocol UDP to local port 7000 .*\nPCP result 0, port 9001\nexternal 11\.22\.33\.2:9003 TCP is redirected to internal 192\.168\.1\.2:7003/,
    );
    expect(ran.outside).toBe(
      "UDP 9000: inside: hello 9000\nUDP 9001: inside: hello 9001\nUDP 9002: silence\nTCP 9003: inside: hello 9003\n",
    );
  },
);

test("a NAT whose outside address is a carrier's refuses, by each protocol", async () => {
  const { exitCode, output, inside } = await run("netns", {
    network: "100.64.0.0/24",
    portMapping: "[pcp, nat-pmp, upnp]",
    asks: [`${BY_NAT_PMP} 2>&1`, BY_PCP, `${BY_UPNP} 2>&1`, "exit 0"],
    isReached: false,
  });
  expect(exitCode, output).toBe(0);
  expect(inside).not.toMatch(/Mapped public port|is redirected to/);
  expect(inside).toContain("network failure");
  // NO_RESOURCES of RFC 6887 section 7.4.
  expect(inside).toContain("PCP result 8");
});

test("a protocol that is not declared goes unanswered", async () => {
  const { exitCode, output, inside } = await run("netns", {
    network: "11.22.33.0/24",
    portMapping: "[nat-pmp]",
    asks: [`${BY_PCP} 0.5`, `${BY_NAT_PMP} | grep Mapped`],
    isReached: false,
  });
  expect(exitCode, output + inside).toBe(0);
  expect(inside).toMatch(/^PCP unanswered\nMapped public port 9000/);
});
