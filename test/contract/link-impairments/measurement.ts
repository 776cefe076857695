/**
 * A router with impairments on its outside link, a program on either side of it, and a measurement of what arrives.
 * Captures at the programs' interfaces have the kernel's time stamps, so that delays of sender and receiver do not
 * count. (On the router itself a capture would see outgoing packets after netem, and incoming ones before it.)
 */

import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AgentReport, Impairment, LinkDirection, LinkFigures } from "../../../agent/src/control/index.ts";
import type { AgentProcess } from "../node-process/agent-process.ts";
import { setupOf } from "../node-process/setups.ts";
import { createWorld, type World } from "../node-process/world.ts";

export interface Flow {
  readonly ratePerSec: number;
  readonly count: number;
  /** UDP payload. */
  readonly octets: number;
}

/** One datagram at one end of the link. */
export interface SeenFrame {
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** One direction: every datagram that entered the link and every one that left it, in order. */
export interface Passage {
  readonly entered: readonly SeenFrame[];
  readonly left: readonly SeenFrame[];
  /** Milliseconds on the link, of each datagram's first arrival, in order of arrival. */
  readonly delaysMs: readonly number[];
  readonly figures: LinkFigures | undefined;
}

export interface Measurement {
  readonly passages: Readonly<Record<LinkDirection, Passage>>;
  /** CPU time of the agent during the measurement, as a share of one core. */
  readonly cpuShare: number;
  /** The agent's scheduling policy as printed by chrt(1), and its nice value. */
  readonly scheduling: string;
  /** Link counters that the agent reported when it was ready. */
  readonly ready: Extract<AgentReport, { type: "ready" }>;
}

const PORT = 5000;
const INSIDE = "192.168.1.2";
const OUTSIDE = "198.18.0.2";
const PROGRAM = fileURLToPath(new URL("./numbered-datagrams.ts", import.meta.url));

/**
 * Runs a program with real-time priority, as `chrt --rr 1 npm run testbed …` does for a whole run, where this user may. Its
 * delays are then its own, not those of programs that take its processor.
 */
const IN_REAL_TIME = ["sh", "-c", 'chrt --rr 1 true 2> /dev/null && exec chrt --rr 1 "$@"; exec "$@"', "sh"] as const;

/** Sends a flow in each direction at once, over a link with these impairments. `by` starts the agent that impairs it. */
export async function measure(
  bundle: string,
  impairments: Partial<Record<LinkDirection, Impairment>>,
  flow: Flow,
  by: readonly string[] = IN_REAL_TIME,
): Promise<Measurement> {
  const world = await createWorld(bundle);
  const directory = await mkdtemp(join(tmpdir(), "mice-link-"));
  try {
    const agent = await startRouter(world, impairments, by);
    await startEnds(world);
    const ready = await agent.report("ready");
    const files = { inside: join(directory, "inside.pcap"), outside: join(directory, "outside.pcap") };
    const captures = await Promise.all([
      begin(world, "inside", captureCommand(files.inside)),
      begin(world, "outside", captureCommand(files.outside)),
    ]);
    const senders = await Promise.all([
      begin(world, "inside", senderCommand(INSIDE, OUTSIDE, flow)),
      begin(world, "outside", senderCommand(OUTSIDE, INSIDE, flow)),
    ]);
    const { pid } = await agent.report("hello");
    const cpuShare = await cpuShareWhile(world, pid, () => Promise.all(senders.map(conclude)));
    const scheduling = await world.sh(`chrt --pid ${pid}; echo nice: $(ps -o ni= -p ${pid})`);
    await Promise.all(captures.map(conclude));
    const figures = await finalFigures(agent);
    const [inside, outside] = [await seenFrames(files.inside), await seenFrames(files.outside)];
    return {
      passages: {
        out: passage(inside.get(OUTSIDE), outside.get(OUTSIDE), figures.get("out")),
        in: passage(outside.get(INSIDE), inside.get(INSIDE), figures.get("in")),
      },
      cpuShare,
      scheduling,
      ready,
    };
  } finally {
    await world.end();
    await rm(directory, { recursive: true, force: true });
  }
}

async function startRouter(
  world: World,
  impairments: Partial<Record<LinkDirection, Impairment>>,
  by: readonly string[],
): Promise<AgentProcess> {
  await world.addNode("n1", [
    { interfaceName: "eth0", bridge: "wan" },
    { interfaceName: "eth1", bridge: "lan" },
  ]);
  const setup = setupOf(1, { role: { type: "router" } });
  const outside = setup.interfaces.map((iface) => ({ ...iface, impairment: { ...impairments, seed: "0badcafe" } }));
  const inside = {
    segment: "lan",
    interfaceName: "lan",
    find: { by: "name", name: "eth1" },
    mac: "02:00:00:00:00:11",
    addresses: ["192.168.1.1/24"],
  } as const;
  const agent = world.startAgent("n1", { setup: { ...setup, interfaces: [...outside, inside] }, by });
  await agent.report("ready");
  await world.shIn("n1", "echo 1 > /proc/sys/net/ipv4/ip_forward");
  return agent;
}

/** Resolves addresses beforehand: a lost request would cost a second. */
async function startEnds(world: World): Promise<void> {
  await world.addNode("inside", [{ interfaceName: "eth0", bridge: "lan" }]);
  await world.addNode("outside", [{ interfaceName: "eth0", bridge: "wan" }]);
  await world.shIn(
    "inside",
    `ip addr add ${INSIDE}/24 dev eth0; ip link set eth0 up; ip route add default via 192.168.1.1`,
  );
  await world.shIn(
    "outside",
    `ip addr add ${OUTSIDE}/24 dev eth0; ip link set eth0 address 02:00:00:00:00:02 up
     ip route add 192.168.1.0/24 via 198.18.0.1
     ip neigh replace 198.18.0.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent`,
  );
  await world.shIn("n1", `ip neigh replace ${OUTSIDE} lladdr 02:00:00:00:00:02 dev net nud permanent`);
}

function passage(
  entered: readonly SeenFrame[] = [],
  left: readonly SeenFrame[] = [],
  figures: LinkFigures | undefined,
): Passage {
  const enteredAt = new Map(entered.map(({ number, at }) => [number, at]));
  const seen = new Set<number>();
  const delaysMs = left.flatMap(({ number, at }) => {
    const since = enteredAt.get(number);
    if (since === undefined || seen.has(number)) return [];
    seen.add(number);
    return [at - since];
  });
  return { entered, left, delaysMs, figures };
}

/** Starts a program that prints a word when it is ready and exits after a line on its stdin. */
async function begin(world: World, node: string, command: readonly string[]): Promise<ChildProcessWithoutNullStreams> {
  const child = world.spawnIn(node, command);
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const ready = once(child.stdout, "data");
  const ended = once(child, "close").then(() => Promise.reject(new Error(`${command.join(" ")}: ${errors}`)));
  await Promise.race([ready, ended]);
  ended.catch(() => undefined);
  return child;
}

async function conclude(child: ChildProcessWithoutNullStreams): Promise<void> {
  const ended = once(child, "close");
  child.stdin.end("go\n");
  await ended;
}

/**
 * Captures both directions, headers and number only, in nanoseconds. No packet may be missed: on SIGINT tcpdump
 * discards what it has not read, so it is ended while it waits for more, and its final statistics are checked.
 */
function captureCommand(file: string): readonly string[] {
  const script = `
    tcpdump -i eth0 -n --immediate-mode -s 60 -B 32768 --time-stamp-precision=nano -Z root -U -w ${file} \
      "udp port ${PORT}" 2> ${file}.log &
    until grep -q "listening on" ${file}.log; do sleep 0.01; done
    echo ready
    read -r _
    until grep -q ") S " /proc/$!/stat; do sleep 0.01; done
    kill -INT $!
    wait $!
    grep -q "^0 packets dropped by kernel" ${file}.log`;
  return ["sh", "-ec", script];
}

function senderCommand(own: string, peer: string, { ratePerSec, count, octets }: Flow): readonly string[] {
  return [process.execPath, PROGRAM, own, peer, ...[PORT, ratePerSec, count, octets].map(String)];
}

async function cpuShareWhile(world: World, pid: number, action: () => Promise<unknown>): Promise<number> {
  // Clock ticks of user and system mode: fields 14 and 15 of /proc/<pid>/stat, a hundred a second.
  const ticks = async (): Promise<number> => {
    const fields = (await world.sh(`cat /proc/${pid}/stat`)).split(" ");
    return Number(fields[13]) + Number(fields[14]);
  };
  const [before, startedAt] = [await ticks(), performance.now()];
  await action();
  return ((await ticks()) - before) / 100 / ((performance.now() - startedAt) / 1000);
}

async function finalFigures(agent: AgentProcess): Promise<ReadonlyMap<LinkDirection, LinkFigures>> {
  agent.send({ type: "finish" });
  const { links = [] } = await agent.report("bye");
  return new Map(links.map((figures) => [figures.direction, figures]));
}

const GLOBAL_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
/** Offsets in an Ethernet frame with IPv4 without options: destination address, and the payload of UDP. */
const DESTINATION_OFFSET = 30;
const PAYLOAD_OFFSET = 42;

/** Datagrams of a capture with nanosecond stamps, by destination address, in order. */
async function seenFrames(file: string): Promise<ReadonlyMap<string, readonly SeenFrame[]>> {
  const pcap = await readFile(file);
  const found = new Map<string, SeenFrame[]>();
  for (let at = GLOBAL_HEADER_BYTES; at < pcap.length; at += RECORD_HEADER_BYTES + pcap.readUInt32LE(at + 8)) {
    const frame = at + RECORD_HEADER_BYTES;
    const destination = [...pcap.subarray(frame + DESTINATION_OFFSET, frame + DESTINATION_OFFSET + 4)].join(".");
    const seen = {
      number: pcap.readUInt32BE(frame + PAYLOAD_OFFSET),
      at: pcap.readUInt32LE(at) * 1000 + pcap.readUInt32LE(at + 4) / 1e6,
    };
    const list = found.get(destination);
    if (list === undefined) found.set(destination, [seen]);
    else list.push(seen);
  }
  return found;
}
