import { expect, test } from "vitest";
import { observeSessions, type SessionObservation } from "../../../orchestrator/judge/session-observation.ts";
import type { LabEvent } from "../../../orchestrator/lab/lab-event.ts";
import {
  CN_HOME,
  connectedEvents,
  MN_HOME,
  nodeEvent,
  pairOf,
  TWO_ENDS,
  trafficEvent,
} from "../../support/lab-events.ts";

function observe(events: readonly LabEvent[]): SessionObservation {
  const [observation] = observeSessions(TWO_ENDS.sessions, TWO_ENDS.nodes, events);
  if (observation === undefined) throw new Error("no observation");
  return observation;
}

test("a session that was carried through is observed from offer to data", () => {
  const pair = pairOf("server-reflexive", "host");
  expect(observe(connectedEvents(pair))).toEqual({
    name: "mn-cn",
    from: "mn",
    to: "cn",
    state: "bound",
    path: "direct",
    selected: pair,
    nominatedAfterMs: 120,
    settledAfterMs: 150,
    checks: { sent: 1, answered: 1, failed: 0, cutPairs: 0, cutCandidates: 0 },
    peerChecks: { sent: 1, answered: 0, failed: 0, cutPairs: 0, cutCandidates: 0 },
    refusals: [],
    candidates: [pair.local],
    peerCandidates: [pair.remote],
    pingBeforeIce: { sent: 3, received: 3, duplicates: 0, roundTripMs: 3 },
    ping: { sent: 3, received: 2, duplicates: 0, roundTripMs: 1.1 },
    echo: { sent: 4, received: 4, duplicates: 0, roundTripMs: 0.625 },
    roundTripMs: 0.625,
    lost: 1,
  });
});

test("a check that was refused is told once, with its end, its pair, who refused it and why", () => {
  const pair = pairOf("host", "server-reflexive");
  const refused = (at: number, node: string, peer: string): LabEvent =>
    nodeEvent(at, node, { type: "check-refused", peer, pair, by: "192.168.1.1", reason: "network unreachable" });
  const events = [refused(131, "mn", CN_HOME), refused(139, "mn", CN_HOME), refused(140, "mn", "2001:db8:c::1")];
  expect(observe([...events, refused(150, "cn", MN_HOME)]).refusals).toEqual([
    { node: "mn", pair, by: "192.168.1.1", reason: "network unreachable" },
    { node: "cn", pair, by: "192.168.1.1", reason: "network unreachable" },
  ]);
});

test("what did not fit into the latest check list of an end is counted", () => {
  const list = (at: number, node: string, peer: string, pairs: number): LabEvent =>
    nodeEvent(at, node, { type: "check-list", peer, role: "controlling", pairs: [], cut: { pairs, candidates: 3 } });
  const events = [list(1, "mn", CN_HOME, 10), list(2, "mn", CN_HOME, 206), list(3, "cn", MN_HOME, 0)];
  const { checks, peerChecks } = observe(events);
  expect(checks).toMatchObject({ cutPairs: 206, cutCandidates: 3 });
  expect(peerChecks).toMatchObject({ cutPairs: 0, cutCandidates: 3 });
});

test("relayed candidates leave the data with the home agents, without a binding", () => {
  const observation = observe(connectedEvents(pairOf("relayed", "relayed")));
  expect(observation).toMatchObject({ state: "nominated", path: "home-agents", nominatedAfterMs: 120 });
});

test("what a node believes of its path does not count when no data came back", () => {
  const events = connectedEvents(pairOf("host", "host")).filter(({ type }) => type !== "traffic");
  const silent = [...events, trafficEvent(300, "echo", "after-nomination", [null, null])];
  expect(observe(silent)).toMatchObject({ path: "none", lost: 2 });
});

test("a session that failed keeps the home agents' path when data goes there, and says why", () => {
  const events = [
    ...connectedEvents(pairOf("host", "host")).slice(0, 4),
    nodeEvent(900, "cn", { type: "session-failed", peer: MN_HOME, reason: "every check failed" }),
  ];
  expect(observe(events)).toMatchObject({ state: "failed", path: "home-agents", failure: "every check failed" });
});

test("a session whose ends never registered has no path", () => {
  const failed = nodeEvent(5, "mn", { type: "registration-failed", reason: "no answer from the home agent" });
  expect(observe([failed])).toMatchObject({
    state: "unregistered",
    path: "none",
    failure: "registration failed: no answer from the home agent",
  });
});

test("waiting in vain is a failure with what was waited for", () => {
  const gaveUp: LabEvent = { at: 9, type: "gave-up", session: "mn-cn", waitedFor: "nomination", afterMs: 25_000 };
  expect(observe([gaveUp]).failure).toBe("no nomination within 25000 ms");
});

test("events with another peer belong to another session", () => {
  const pair = pairOf("host", "host");
  const stranger = nodeEvent(1, "mn", { type: "check-sent", peer: "2001:db8:c::1", kind: "ordinary", pair });
  const own = nodeEvent(2, "mn", { type: "check-sent", peer: CN_HOME, kind: "ordinary", pair });
  expect(observe([stranger, own]).checks.sent).toBe(1);
});

test("a reflexive candidate learnt from an answer counts as found, the peer's does not", () => {
  const { local, remote } = pairOf("peer-reflexive", "peer-reflexive");
  const events = [
    nodeEvent(1, "mn", { type: "peer-reflexive", peer: CN_HOME, side: "local", candidate: local }),
    nodeEvent(2, "mn", { type: "peer-reflexive", peer: CN_HOME, side: "remote", candidate: remote }),
  ];
  expect(observe(events).candidates).toEqual([local]);
});
