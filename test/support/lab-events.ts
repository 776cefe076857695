/** Events of a session as its two ends report them, for tests of what is derived from them. */

import type { LabEvent, LabEventBody, NodeEvent, PairView } from "../../orchestrator/lab/lab-event.ts";
import type { ResolvedTopology } from "../../orchestrator/topology/model/resolved.ts";

export const MN_HOME = "2001:db8:a::100";
export const CN_HOME = "2001:db8:b::200";

/** Two mobile ends on one segment; enough where no NAT or firewall matters. */
export const TWO_ENDS: ResolvedTopology = {
  name: "two-ends",
  summary: "Two ends on one segment",
  seed: 7,
  segments: [{ name: "internet", interfaceName: "internet", ipv4: "198.18.0.0/24" }],
  nodes: [mobileNode("mn", "mobile-node", MN_HOME), mobileNode("cn", "correspondent-node", CN_HOME)],
  sessions: [{ name: "mn-cn", from: "mn", to: "cn", traffic: "echo" }],
  flows: [],
  timeline: [],
  expectations: [{ session: "mn-cn", source: "two-ends.yaml:9", path: "direct" }],
};

function mobileNode(
  name: string,
  role: "mobile-node" | "correspondent-node",
  homeAddress: string,
): ResolvedTopology["nodes"][number] {
  return {
    name,
    role,
    homeAddress,
    homeAgent: "ha",
    port: 40_000,
    agent: { profile: "ice16", isLite: false, keys: "signalled", timers: {} },
    interfaces: [],
    routes: [],
  };
}

/** A pair of candidates of these types, seen from `mn`. */
export function pairOf(local: PairView["local"]["type"], remote: PairView["remote"]["type"]): PairView {
  return {
    local: { type: local, address: { ip: "198.18.0.11", port: 40_000 }, priority: 2_130_706_431 },
    remote: { type: remote, address: { ip: "198.18.0.12", port: 40_000 }, priority: 2_130_706_431 },
  };
}

/** An event of a node, `at` milliseconds after the start of the axis. */
export function nodeEvent(at: number, node: string, event: NodeEvent): LabEvent {
  return { at, type: "node", node, event };
}

/** Registration of both ends, offer at 100, nomination of `pair` at 220, data direct from 250 if the pair allows. */
export function connectedEvents(pair: PairView): LabEvent[] {
  const isDirect = pair.local.type !== "relayed" || pair.remote.type !== "relayed";
  const back = { local: pair.remote, remote: pair.local };
  const registered = (homeAddress: string): NodeEvent => ({
    type: "registered",
    homeAddress,
    careOf: { ip: "198.18.0.11", port: 40_000 },
    natDetected: false,
    lifetimeSec: 420,
  });
  const direct: LabEvent[] = [
    nodeEvent(240, "cn", { type: "binding-update-received", peer: MN_HOME, sequence: 1, careOf: "::1", status: 0 }),
    nodeEvent(245, "cn", { type: "path", peer: MN_HOME, path: "direct", pair: back }),
    nodeEvent(250, "mn", { type: "binding-accepted", peer: CN_HOME, sequence: 1, lifetimeSec: 420 }),
    nodeEvent(250, "mn", { type: "path", peer: CN_HOME, path: "direct", pair }),
  ];
  return [
    nodeEvent(10, "mn", registered(MN_HOME)),
    nodeEvent(12, "cn", registered(CN_HOME)),
    trafficEvent(50, "ping", "before-ice", [4, 2, 3]),
    nodeEvent(100, "mn", { type: "offer-sent", peer: CN_HOME, candidates: [pair.local], isRestart: false }),
    nodeEvent(100, "mn", { type: "candidate", peer: CN_HOME, candidate: pair.local }),
    nodeEvent(110, "cn", { type: "candidate", peer: MN_HOME, candidate: pair.remote }),
    nodeEvent(130, "mn", { type: "check-sent", peer: CN_HOME, kind: "ordinary", pair }),
    nodeEvent(135, "cn", { type: "check-sent", peer: MN_HOME, kind: "ordinary", pair: back }),
    nodeEvent(140, "mn", { type: "check-succeeded", peer: CN_HOME, pair, mapped: pair.local.address, rttMs: 10 }),
    nodeEvent(220, "mn", { type: "nominated", peer: CN_HOME, pair, afterMs: 90 }),
    nodeEvent(225, "cn", { type: "nominated", peer: MN_HOME, pair: back, afterMs: 95 }),
    ...(isDirect ? direct : []),
    trafficEvent(300, "ping", "after-nomination", [1, 1.2, null]),
    trafficEvent(300, "echo", "after-nomination", [0.5, 0.5, 0.75, 0.75]),
  ];
}

/** Traffic of `mn-cn` with these round trips. */
export function trafficEvent(
  at: number,
  kind: "ping" | "echo",
  moment: "before-ice" | "after-nomination",
  rttMs: readonly (number | null)[],
): LabEvent {
  const received = rttMs.filter((rtt) => rtt !== null).length;
  const body: LabEventBody = {
    type: "traffic",
    session: "mn-cn",
    kind,
    moment,
    result: { sent: rttMs.length, received, duplicates: 0, rttMs },
  };
  return { at, ...body };
}
