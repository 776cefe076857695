/** The whole flow through the real command line: its output, its results, and what Wireshark finds in the captures. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import type { LabEvent } from "../../orchestrator/lab/lab-event.ts";
import type { RunResult } from "../../orchestrator/report/run-result.ts";
import { objectsOfRun } from "../support/engine-objects.ts";
import { needs } from "../support/needs.ts";
import { type CliResult, latestResult, runCli, temporaryDirectory } from "../support/run-cli.ts";
import { fieldsOf, startTshark, type Tshark } from "../support/tshark.ts";

const { describe, test } = await needs("engine");

/** The rules that a NAT loads. */
function rulesOf(...middleboxes: readonly string[]): readonly string[] {
  return middleboxes.flatMap((middlebox) => ["ip6tables", "iptables", "nft"].map((tool) => `${middlebox}.${tool}`));
}

const TOPOLOGIES = [
  {
    name: "nat-nat",
    path: "direct",
    selected: ["server-reflexive", "server-reflexive"],
    segments: ["internet", "home-lan", "cafe-lan"],
    rules: rulesOf("nat-a", "nat-b"),
  },
  {
    name: "symmetric-symmetric",
    path: "home-agents",
    selected: ["relayed", "relayed"],
    segments: ["internet", "home-lan", "cafe-lan"],
    rules: rulesOf("nat-a", "nat-b"),
  },
  { name: "open-open", path: "direct", selected: ["host", "host"], segments: ["internet"], rules: [] },
] as const;

let tshark: Tshark;
let out: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  [tshark, out] = await Promise.all([startTshark(), temporaryDirectory()]);
});
afterAll(async () => {
  await Promise.all([tshark.stop(), out.remove()]);
});

describe.each(TOPOLOGIES)("$name", ({ name, path, selected, segments, rules }) => {
  let run: CliResult;
  let result: RunResult;
  let events: readonly LabEvent[];
  let directory: string;
  let capture: string;

  beforeAll(async () => {
    run = await runCli([name, "--out", out.path]);
    directory = join(out.path, "latest");
    capture = join(directory, "capture.pcapng");
    result = await latestResult(out.path);
    const lines = (await readFile(join(directory, "events.ndjson"), "utf8")).trimEnd().split("\n");
    events = lines.map((line) => JSON.parse(line) as LabEvent);
  });

  test("passes, and says so", () => {
    expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(run.stdout).toMatch(new RegExp(`^pass +mn → cn +.*${path}`, "m"));
    expect(run.stdout).toContain(`results in ${out.path}/${result.runId}`);
  });

  test("selects what the model predicts and the file expects", () => {
    const [session] = result.sessions;
    expect(result).toMatchObject({ verdict: "pass", topology: name, runtime: "docker", predicted: [{ path }] });
    expect([session?.selected?.local.type, session?.selected?.remote.type]).toEqual(selected);
    expect(session).toMatchObject({ path, lost: 0, pingBeforeIce: { received: 3 }, echo: { sent: 20, received: 20 } });
  });

  test("removes everything it made", async () => {
    expect(result.leftovers).toEqual([]);
    expect(await objectsOfRun(result.runId)).toEqual([]);
  });

  test("keeps every file of a run", async () => {
    const files = ["capture.pcapng", "events.ndjson", "junit.xml", "logs", "report.html", "result.json"];
    expect((await readdir(directory)).sort()).toEqual(
      [...files, ...(rules.length > 0 ? ["rules"] : []), "topology.yaml"].sort(),
    );
    if (rules.length > 0) expect((await readdir(join(directory, "rules"))).sort()).toEqual(rules);
  });

  test("captures every segment whole: nothing dropped, each packet where and when it was sent", async () => {
    expect(result.captures.map(({ segment }) => segment)).toEqual(segments);
    const packets = await tshark.read(capture, fieldsOf("frame", "frame.interface_name"));
    for (const { segment, packets: count, droppedByKernel } of result.captures) {
      expect(droppedByKernel).toBe(0);
      expect(packets.filter((iface) => iface === segment)).toHaveLength(count);
    }
  });

  test("puts nothing on the wire that Wireshark finds malformed", async () => {
    const filter = "_ws.malformed || mice.malformed || icmpv6.checksum.status == 0 || udp.checksum.status == 0";
    const checked = ["-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"];
    expect(await tshark.read(capture, [...checked, "-Y", filter])).toEqual([]);
  });

  test("sends STUN with valid fingerprints only", async () => {
    const stun = await tshark.read(capture, fieldsOf("stun", "stun.att.crc32.status"));
    expect(stun.length).toBeGreaterThan(8);
    // 1 is Wireshark's value for good.
    expect(new Set(stun)).toEqual(new Set(["1"]));
  });

  test("sends Mobility Headers with valid checksums only", async () => {
    const statuses = await tshark.read(capture, fieldsOf("mipv6", "mice.checksum.status"));
    expect(statuses.length).toBeGreaterThan(8);
    expect(new Set(statuses.flatMap((line) => line.split(",")))).toEqual(new Set(["1"]));
  });

  test("pings through both home agents before the first check", async () => {
    const firstCheck = events.find((entry) => entry.type === "node" && entry.event.type === "check-sent");
    const before = await tshark.read(capture, fieldsOf(`icmpv6.type == 128 && ${upTo(firstCheck?.at)}`, "ipv6.src"));
    expect(before.length).toBeGreaterThanOrEqual(3);
  });

  test("sends its data where it says", async () => {
    const settledAt = lastOf(events, path === "direct" ? "path" : "nominated");
    const echo = "(udp.srcport == 7 || udp.dstport == 7)";
    const inTunnel = await tshark.read(
      capture,
      fieldsOf(`${echo} && udp.port == 4191 && ${from(settledAt)}`, "frame.number"),
    );
    const onPair = await tshark.read(
      capture,
      fieldsOf(`${echo} && mice_tunnel && !(udp.port == 4191) && frame.interface_name == "internet"`, "frame.number"),
    );
    expect({ inTunnel: inTunnel.length > 0, onPair: onPair.length }).toEqual(
      path === "direct" ? { inTunnel: false, onPair: 40 } : { inTunnel: true, onPair: 0 },
    );
  });
});

test("the netns runtime needs no engine and comes to the same", async () => {
  const names = TOPOLOGIES.map(({ name }) => name);
  const env = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
  const { exitCode, stdout } = await runCli([...names, "--runtime", "netns", "--json", "--out", out.path], { env });
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject(
    TOPOLOGIES.map(({ name, path }) => ({ topology: name, runtime: "netns", verdict: "pass", sessions: [{ path }] })),
  );
});

test("checks that middleboxes refuse are told with who refused them and why", async () => {
  const { exitCode, stdout } = await runCli(["rejecting-firewall", "--runtime", "netns", "--json", "--out", out.path]);
  const [session] = (JSON.parse(stdout) as RunResult).sessions;
  const told = session?.refusals.map(
    ({ node, pair: { remote }, by, reason }) => `${node}: ${remote.type} ${remote.address} by ${by}: ${reason}`,
  );
  expect(exitCode).toBe(0);
  expect(told).toEqual([
    "mn: host 192.168.1.2 by 198.18.1.1: administratively prohibited",
    "mn: server-reflexive 198.18.0.5 by 198.18.1.1: administratively prohibited",
    "cn: host 198.18.1.2 by 198.18.0.4: administratively prohibited",
  ]);
});

test("offer to nomination through two NATs takes less than 400 ms", async () => {
  await runCli(["nat-nat", "--out", out.path, "--no-capture"]);
  const [session] = (await latestResult(out.path)).sessions;
  expect(session?.nominatedAfterMs).toBeLessThan(400);
});

test("several topologies run in turn and are summed up", async () => {
  const { exitCode, stdout } = await runCli(["open-open", "nat-nat", "--out", out.path, "--no-capture"]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^verdict +topology +path +time +why\npass +open-open +direct .*\npass +nat-nat +direct .*$/m);
});

test("--json prints nothing but the result, and progress where errors go", async () => {
  const { exitCode, stdout, stderr } = await runCli(["open-open", "--json", "--seed", "11", "--out", out.path]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual(await latestResult(out.path));
  expect(JSON.parse(stdout)).toMatchObject({ seed: 11 });
  expect(stderr).toContain("mn: nominated");
});

function lastOf(events: readonly LabEvent[], type: "path" | "nominated"): number | undefined {
  return events.findLast((entry) => entry.type === "node" && entry.event.type === type)?.at;
}

/** Filters by absolute time; packets and events share one axis. */
function from(at: number | undefined): string {
  return `frame.time_epoch >= ${seconds(at)}`;
}

function upTo(at: number | undefined): string {
  return `frame.time_epoch < ${seconds(at)}`;
}

function seconds(at: number | undefined): string {
  if (at === undefined) throw new Error("the event that this looks for did not happen");
  return (at / 1000).toFixed(6);
}
