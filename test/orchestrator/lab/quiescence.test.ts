import { describe, expect, test } from "vitest";
import type { LabEvent, NodeEvent } from "../../../orchestrator/lab/lab-event.ts";
import {
  isDataBack,
  isDataGone,
  isDirect,
  quiescentSince,
  type SessionEnds,
} from "../../../orchestrator/lab/quiescence.ts";
import { CN_HOME, MN_HOME, nodeEvent, pairOf } from "../../support/lab-events.ts";

const ENDS: SessionEnds = [
  { node: "mn", peer: CN_HOME },
  { node: "cn", peer: MN_HOME },
];
const PAIR = pairOf("host", "host");

function direct(at: number, node: "mn" | "cn"): LabEvent {
  return nodeEvent(at, node, { type: "path", peer: node === "mn" ? CN_HOME : MN_HOME, path: "direct", pair: PAIR });
}

describe("a session is quiescent", () => {
  test("when nothing has happened since the event", () => {
    expect(quiescentSince([direct(50, "mn")], ENDS, 100)).toBe(100);
  });

  test("once both ends send their data on a pair again", () => {
    const dead: NodeEvent = { type: "pair-dead", peer: CN_HOME, pair: PAIR, reason: "no-answer", silentMs: 900 };
    const events = [nodeEvent(200, "mn", dead), direct(300, "mn")];
    const offered: NodeEvent = { type: "offer-received", peer: MN_HOME, candidates: [], isRestart: true };
    expect(quiescentSince([...events, nodeEvent(250, "cn", offered)], ENDS, 100)).toBeUndefined();
    expect(quiescentSince([...events, nodeEvent(250, "cn", offered), direct(320, "cn")], ENDS, 100)).toBe(320);
  });

  test("when an end that was offered a restart has nominated the pair that its data is on, which is no other path", () => {
    const offered = nodeEvent(200, "cn", { type: "offer-received", peer: MN_HOME, candidates: [], isRestart: true });
    const nominated = (pair: typeof PAIR): LabEvent =>
      nodeEvent(300, "cn", { type: "nominated", peer: MN_HOME, pair, afterMs: 9 });
    const before = [direct(50, "mn"), direct(50, "cn"), offered];
    expect(quiescentSince([...before, nominated(PAIR)], ENDS, 100)).toBe(300);
    const other = pairOf("server-reflexive", "host");
    const elsewhere = { ...other, local: { ...other.local, address: { ip: "198.18.0.99", port: 9 } } };
    expect(quiescentSince([...before, nominated(elsewhere)], ENDS, 100)).toBeUndefined();
  });

  test("when it has settled on the home agents' path, or failed", () => {
    const offer = nodeEvent(200, "mn", { type: "offer-sent", peer: CN_HOME, candidates: [], isRestart: true });
    const relayed: NodeEvent = { type: "nominated", peer: CN_HOME, pair: pairOf("relayed", "relayed"), afterMs: 9 };
    expect(quiescentSince([offer], ENDS, 100)).toBeUndefined();
    expect(quiescentSince([offer, nodeEvent(400, "mn", relayed)], ENDS, 100)).toBe(400);
    const failed: NodeEvent = { type: "session-failed", peer: CN_HOME, reason: "x" };
    expect(quiescentSince([offer, nodeEvent(500, "mn", failed)], ENDS, 100)).toBe(500);
  });

  test("not while a node waits for its home agent, nor for what other sessions do", () => {
    const sent: NodeEvent = { type: "registration-sent", sequence: 2, careOf: { ip: "198.18.0.11", port: 40_000 } };
    expect(quiescentSince([nodeEvent(200, "cn", sent)], ENDS, 100)).toBeUndefined();
    const other = nodeEvent(200, "mn", { type: "offer-sent", peer: "2001:db8::9", candidates: [], isRestart: true });
    expect(quiescentSince([other], ENDS, 100)).toBe(100);
  });
});

test("a session is direct while both ends send their data straight to each other", () => {
  const home = nodeEvent(300, "cn", { type: "path", peer: MN_HOME, path: "home-agents" });
  expect(isDirect([direct(100, "mn")], ENDS)).toBe(false);
  expect(isDirect([direct(100, "mn"), direct(200, "cn")], ENDS)).toBe(true);
  expect(isDirect([direct(100, "mn"), direct(200, "cn"), home], ENDS)).toBe(false);
});

const packets = (rttMs: readonly (number | null)[]) => rttMs.map((rtt, i) => ({ sentAt: 100 + 20 * i, rttMs: rtt }));

test("data is gone when ten packets in a row were lost", () => {
  expect(isDataGone(packets([1, ...Array<null>(10).fill(null)]), 100)).toBe(true);
  expect(isDataGone(packets([...Array<null>(10).fill(null), 1]), 100)).toBe(false);
  expect(isDataGone(packets(Array<null>(12).fill(null)), 160)).toBe(false);
});

describe("data is back", () => {
  test("when ten packets in a row were answered", () => {
    expect(isDataBack(packets([null, ...Array<number>(10).fill(1)]), 100)).toBe(true);
    expect(isDataBack(packets([...Array<number>(10).fill(1), null]), 100)).toBe(false);
    expect(isDataBack(packets(Array<number>(9).fill(1)), 100)).toBe(false);
  });

  test("counting from the instant that matters, in the order of sending", () => {
    const answered = packets(Array<number>(12).fill(1));
    expect(isDataBack(answered, 140)).toBe(true);
    expect(isDataBack(answered, 160)).toBe(false);
    expect(isDataBack([...packets([null]), ...answered.slice(1)].toReversed(), 100)).toBe(true);
  });
});
