import { describe, expect, test } from "vitest";
import { observeFlows } from "../../../orchestrator/judge/flow-observation.ts";
import type { LabEvent } from "../../../orchestrator/lab/lab-event.ts";
import { flowResults } from "../../../orchestrator/report/flow-result.ts";
import { formatTuple } from "../../../orchestrator/trace/five-tuple.ts";
import { followPackets } from "../../../orchestrator/trace/follow-packets.ts";
import { capturesOf, type SentFrame, udp } from "../../support/captured-lab.ts";
import { resolved, topologyText } from "../topology/sample.ts";

function lab(flows: string) {
  return resolved(
    topologyText({
      segments: "home: { ipv4: 192.168.1.0/24 }",
      nodes: `nat: { role: router, wan: internet, lan: home, nat: full-cone },
        relay: { role: host, on: internet, command: [x] },
        alice: { role: host, on: home, command: [x] }, bob: { role: host, on: internet, command: [x] }`,
      rest: `flows: ${flows}`,
    }),
  );
}

/** A time as captures have it, to a hundredth of a millisecond. */
const about = (ms: number): unknown => expect.closeTo(ms, 2);

const CALL = "[{ name: call, between: [alice, bob] }]";
const STARTED: readonly LabEvent[] = [
  { at: 900, type: "host-started", node: "alice", program: "x" },
  { at: 1000, type: "host-started", node: "bob", program: "x" },
];
const [ALICE, NAT, BOB, RELAY] = ["192.168.1.2:4000", "198.18.0.4:5000", "198.18.0.3:4000", "198.18.0.9:3478"];

type Payload = string | Uint8Array;

/** Frames of one packet through the NAT: from alice to an address outside, and back. */
const out = (at: number, payload: Payload, to = "bob", destination = BOB): SentFrame[] => [
  { at, segment: "home", from: "alice", to: "nat", packet: udp(ALICE, destination, payload) },
  { at: at + 1, segment: "internet", from: "nat", to, packet: udp(NAT, destination, payload) },
];
const back = (at: number, payload: Payload, from = "bob", source = BOB): SentFrame[] => [
  { at, segment: "internet", from, to: "nat", packet: udp(source, NAT, payload) },
  { at: at + 1, segment: "home", from: "nat", to: "alice", packet: udp(source, ALICE, payload) },
];
const direct = (at: number, name: string): SentFrame[] => [...out(at, `to ${name}`), ...back(at + 5, `from ${name}`)];
const relayed = (at: number, name: string, onward = (payload: string) => payload): SentFrame[] => [
  ...out(at, `to ${name}`, "relay", RELAY),
  { at: at + 2, segment: "internet", from: "relay", to: "bob", packet: udp(RELAY, BOB, onward(`to ${name}`)) },
  { at: at + 3, segment: "internet", from: "bob", to: "relay", packet: udp(BOB, RELAY, `from ${name}`) },
  ...back(at + 4, onward(`from ${name}`), "relay", RELAY),
];
/** One packet of the same kind every 20 ms. */
const each = (first: number, last: number, frames: (at: number, name: string) => SentFrame[]): SentFrame[] =>
  Array.from({ length: (last - first) / 20 + 1 }, (_, i) => frames(first + 20 * i, `${first + 20 * i}`)).flat();

function observe(frames: readonly SentFrame[], flows = CALL, events: readonly LabEvent[] = STARTED) {
  return observeFlows(lab(flows), events, followPackets(capturesOf(frames)));
}

describe("a flow is", () => {
  test("direct where data goes through routers alone both ways, with its figures and addresses", () => {
    const [flow] = observe(each(1100, 1480, direct));
    expect(flow).toMatchObject({
      ...{ name: "call", protocol: "udp", path: "direct", relays: [], packetsSent: 40, packetsLost: 0, ambiguous: 0 },
      directAfterMs: about(106),
      onPathAfterMs: about(106),
      outageMs: about(20),
    });
    expect(flow?.directions).toMatchObject([
      { from: "alice", to: "bob", packets: 20, octets: 20 * "to 1100".length, reordered: 0, duplicated: 0 },
      { from: "bob", to: "alice", packets: 20, octets: 20 * "from 1100".length },
    ]);
    expect(
      flow?.directions[0]?.ways.map(({ packets, segments }) => [
        packets,
        ...segments.map(({ segment, tuple }) => `${segment} ${formatTuple(tuple)}`),
      ]),
    ).toEqual([[20, `home udp ${ALICE} → ${BOB}`, `internet udp ${NAT} → ${BOB}`]]);
  });

  test("relayed where a third node passes it on, which is named", () => {
    expect(observe(each(1100, 1480, relayed))).toMatchObject([{ path: "relayed", relays: ["relay"], packetsLost: 0 }]);
  });

  test("relayed by a node that both exchange data with, though it passes on other content", () => {
    const encrypted = (at: number, name: string) => relayed(at, name, (payload) => `${payload} again`);
    expect(observe(each(1100, 1480, encrypted))).toMatchObject([{ path: "relayed", relays: ["relay"] }]);
  });

  test("no relayed one where both only asked a server", () => {
    const asked = (at: number, name: string) => relayed(at, name, (payload) => `${payload} again`);
    expect(observe(each(1100, 1120, asked))).toMatchObject([{ path: "none", relays: [] }]);
  });

  test("none where data goes one way", () => {
    expect(observe(each(1100, 1480, (at, name) => out(at, name)))).toMatchObject([{ path: "none" }]);
  });

  test("none where STUN alone goes both ways, or keepalives of one octet", () => {
    const stun = Uint8Array.of(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    const punches = each(1100, 1480, (at) => [
      ...out(at, stun),
      ...back(at + 5, stun),
      ...out(at + 7, "k"),
      ...back(at + 9, "k"),
    ]);
    expect(observe(punches)).toMatchObject([{ path: "none", packetsSent: 0 }]);
  });

  test("of the data that it names by size and ports", () => {
    const sized = (keys: string) =>
      observe(each(1100, 1480, direct), `[{ name: c, between: [alice, bob], data: ${keys} }]`);
    expect(sized("{ minimumSize: 7 }")).toMatchObject([{ path: "direct" }]);
    expect(sized("{ minimumSize: 8 }")).toMatchObject([{ path: "none" }]);
    expect(sized("{ ports: [4000] }")).toMatchObject([{ path: "direct" }]);
    expect(sized("{ ports: [4001] }")).toMatchObject([{ path: "none" }]);
  });

  test("undetermined where captures are not complete", () => {
    expect(observeFlows(lab(CALL), STARTED, undefined)).toMatchObject([{ path: "undetermined" }]);
  });

  test("found by itself where all are wanted, and only where there is data", () => {
    const found = observe(each(1100, 1480, direct), "all");
    expect(found.map(({ name, path }) => [name, path])).toEqual([["alice-bob-udp", "direct"]]);
  });
});

test("packets that only opened the way are not lost; later ones that do not arrive are", () => {
  const punches = each(1000, 1080, (at, name) => out(at, name).slice(0, 1));
  const drops = each(1300, 1340, (at, name) => out(at, name).slice(0, 1));
  const frames = [...punches, ...each(1100, 1280, direct), ...drops, ...each(1360, 1480, direct)];
  expect(observe(frames)).toMatchObject([{ path: "direct", packetsSent: 37, packetsLost: 3, outageMs: about(80) }]);
});

test("what is returned as it was has a round trip", () => {
  const echoed = (at: number, name: string): SentFrame[] => [...out(at, name), ...back(at + 5, name)];
  expect(observe(each(1100, 1480, echoed))).toMatchObject([{ roundTripMs: about(6), packetsSent: 40 }]);
});

test("an event has what was sent after it: its path, its silence, its losses", () => {
  const event: LabEvent = { at: 1290, type: "timeline", name: "breaks", nodes: ["nat"], text: "" };
  const drops = each(1300, 1400, (at, name) => out(at, name).slice(0, 1));
  const frames = [...each(1100, 1280, direct), ...drops, ...each(1420, 1600, relayed)];
  const [flow] = observe(frames, CALL, [...STARTED, event]);
  expect(flow).toMatchObject({ path: "direct", packetsLost: 0 });
  expect(flow?.effects).toMatchObject([
    { event: "breaks", path: "relayed", relays: ["relay"], packetsLost: 6, onPathAfterMs: about(135) },
  ]);
  expect(flow?.effects[0]?.outageMs).toBeCloseTo(141, 1);
});

test.each([
  ["direct", "impossible", "better"],
  ["none", "possible", "worse"],
  ["relayed", "possible", "worse"],
  ["direct", "possible", undefined],
  ["none", "impossible", undefined],
  ["none", "depends", undefined],
  ["undetermined", "possible", undefined],
] as const)("%s where a direct path is %s is %s", (path, predicted, surprise) => {
  const [flow] = observe([]);
  if (flow === undefined) throw new Error("a flow");
  const [result] = flowResults([{ ...flow, path }], [{ flow: "call", direct: predicted, why: ["Because."] }], 0);
  expect(result).toMatchObject({ predicted: { direct: predicted, why: "Because." } });
  expect(result?.surprise).toBe(surprise);
});
