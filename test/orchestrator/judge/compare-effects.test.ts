import { expect, test } from "vitest";
import { encodeEchoRequest } from "../../../agent/src/control/echo-request.ts";
import { compareEffects } from "../../../orchestrator/judge/compare-effects.ts";
import { completeTrace } from "../../../orchestrator/judge/complete-trace.ts";
import type { LabEvent } from "../../../orchestrator/lab/lab-event.ts";
import type { ResolvedHomeAgent } from "../../../orchestrator/topology/model/resolved.ts";
import { capturesOf, type SentFrame, udp } from "../../support/captured-lab.ts";
import { CN_HOME, connectedEvents, MN_HOME, nodeEvent, pairOf, TWO_ENDS } from "../../support/lab-events.ts";

const REBOOT: LabEvent = { at: 1100, type: "timeline", name: "reboot", nodes: ["nat-b"], text: "nat-b reboots" };
const BACK = [
  nodeEvent(1195, "mn", { type: "path", peer: CN_HOME, path: "home-agents" }),
  nodeEvent(1295, "mn", { type: "path", peer: CN_HOME, path: "direct", pair: pairOf("host", "host") }),
];

/** What happens to a request: answered directly, answered by way of the home agent, answered twice, lost. */
type Fate = "." | "h" | "2" | "x" | "-";

const HOME_AGENT: ResolvedHomeAgent = {
  ...{ name: "ha", homePrefix: "2001:db8:a::/64", address: "2001:db8:a::1" },
  role: "home-agent",
  ...{ listen: ["198.18.0.2"], alternate: [], interfaces: [], routes: [] },
};
const TOPOLOGY = { ...TWO_ENDS, nodes: [...TWO_ENDS.nodes, HOME_AGENT] };

/** A request every 20 ms from 1000 on. */
function told(fates: string): LabEvent {
  const packets = Array.from(fates).map((fate, i) => ({ sentAt: 1000 + 20 * i, rttMs: fate === "x" ? null : 5 }));
  return { at: 5000, type: "flow", session: "mn-cn", packets };
}

function seen(fates: string): SentFrame[] {
  return Array.from(fates).flatMap((fate, i) => framesOf(1000 + 20 * i, encodeEchoRequest(i, 40), fate as Fate));
}

function framesOf(at: number, payload: Uint8Array, fate: Fate): SentFrame[] {
  const request = udp(`[${MN_HOME}]:50000`, `[${CN_HOME}]:7`, payload);
  const answer = udp(`[${CN_HOME}]:7`, `[${MN_HOME}]:50000`, payload);
  const frame = (after: number, from: string, to: string, packet: Uint8Array, port = 40_000): SentFrame => ({
    ...{ at: at + after, segment: "internet", from, to },
    packet: udp("198.18.0.11:40000", `198.18.0.12:${port}`, packet),
  });
  const back = frame(5, "cn", "mn", answer);
  switch (fate) {
    // It never leaves its node.
    case "-":
      return [];
    case "x":
      return [frame(0, "mn", "cn", request)];
    case "h":
      return [frame(0, "mn", "ha", request, 4191), frame(1, "ha", "cn", request, 4191), back];
    case ".":
      return [frame(0, "mn", "cn", request), back];
    case "2":
      return [frame(0, "mn", "cn", request), back, { ...back, at: at + 5.5 }];
  }
}

function compare(agents: string, captures: string, events: readonly LabEvent[] = BACK) {
  const lab = [...connectedEvents(pairOf("host", "host")), REBOOT, ...events, told(agents)];
  const streams = capturesOf(seen(captures)).map((stream) => ({ ...stream, droppedByKernel: 0 }));
  return compareEffects(TOPOLOGY, lab, completeTrace({ captures: streams, events: lab }));
}

const FATES = ".....xxxxxhhhhh.....";

test("captures show of an event's effect what agents tell, without their help", () => {
  const figures = { path: "direct", packetsSent: 15, packetsLost: 5, outageMs: 120, reordered: 0, homeAgentsMs: 100 };
  expect(compare(FATES, FATES)).toMatchObject([
    { ...figures, captured: { ...figures, duplicated: 0 }, disagreements: [] },
  ]);
});

test("a difference of two packets is none, one of three is named with both figures", () => {
  expect(compare(FATES, ".....xxxhhhhhhh.....")).toMatchObject([{ disagreements: [] }]);
  expect(compare(FATES, ".....xxhhhhhhhh.....")[0]?.disagreements).toEqual([
    { figure: "packetsLost", agents: 5, captures: 2 },
    { figure: "outageMs", agents: 120, captures: 60 },
    { figure: "homeAgentsMs", agents: 100, captures: 160 },
  ]);
});

test("a request that never leaves its node is missed by its number", () => {
  expect(compare(FATES, ".....-----hhhhh.....")).toMatchObject([
    { captured: { packetsSent: 15, packetsLost: 5 }, disagreements: [] },
  ]);
});

test("an agent that tells of another path than its data takes is found out", () => {
  const [effect] = compare(FATES, ".....xxxxxhhhhhhhhhh");
  expect(effect?.disagreements).toContainEqual({ figure: "path", agents: "direct", captures: "home-agents" });
});

test("answers that come again are counted", () => {
  expect(compare(FATES, ".....xxxxxhhhhh2..2.")).toMatchObject([{ captured: { duplicated: 2 }, disagreements: [] }]);
});

test("an answer overtaken by a later one is reordered, for agents and captures alike", () => {
  const late = { sentAt: 1220, rttMs: 45 };
  const flow: LabEvent = { at: 5000, type: "flow", session: "mn-cn", packets: [late, { sentAt: 1240, rttMs: 5 }] };
  const lab = [REBOOT, ...BACK, told("..........."), flow];
  expect(compareEffects(TOPOLOGY, lab, undefined)).toMatchObject([{ reordered: 1 }]);
});

test.each<[string, Partial<Parameters<typeof completeTrace>[0]>]>([
  [
    "lack frames that the kernel dropped",
    { captures: [{ node: "mn", segment: "x", pcap: new Uint8Array(), droppedByKernel: 1 }] },
  ],
  ["ended early", { captures: [{ node: "mn", segment: "x", pcap: new Uint8Array() }] }],
  ["were cut", { events: [{ at: 1, type: "captures-cut", keptOctets: 1 }] }],
  ["were not made", { captures: [] }],
])("captures that %s prove nothing", (_, changes) => {
  const captures = [{ node: "mn", segment: "x", pcap: new Uint8Array(), droppedByKernel: 0 }];
  expect(completeTrace({ captures, events: [], ...changes })).toBeUndefined();
});
