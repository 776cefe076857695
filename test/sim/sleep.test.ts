/** Nodes that do not run for a while, and then find the world changed. */

import { describe, expect, test } from "vitest";
import {
  createMiceNet,
  createNumberedFlow,
  eventsOf,
  type MiceNet,
  type NatProfile,
  type Side,
} from "../../agent/src/testing/index.ts";
import { ACCESS, CONNECT_AT, connect, pathOf } from "./scenario.ts";

const DIRECT = "direct server-reflexive server-reflexive";
const DATA_EVERY_MS = 20;

/** Forgets everything during the sleep, and draws other ports then. */
const FORGETFUL: Partial<NatProfile> = { udpLifetimeSec: 10, portAssignment: "random" };

/** When a packet sent after the wake-up first arrived, counted from there; in the worse direction. */
function worksAfterMs({ net, mn, cn }: MiceNet, wokeAt: number): number {
  const flows = [createNumberedFlow(mn, cn), createNumberedFlow(cn, mn)];
  for (const flow of flows) flow.sendEvery(DATA_EVERY_MS, 6000);
  net.time.runUntil(wokeAt + 8000);
  const firsts = flows.map((flow) => {
    const arrived = new Set(flow.arrivals());
    const lastLost = Array.from({ length: flow.sent }, (_, n) => n).findLast((n) => !arrived.has(n));
    return ((lastLost ?? -1) + 1) * DATA_EVERY_MS;
  });
  return Math.max(...firsts);
}

/** A session with a direct path, one end of which sleeps for this long from an instant on. */
function sleepAmidSession(sleeper: "mn" | "cn", forMs: number, nat: Partial<NatProfile>) {
  const side = (seed: number) => ({ nat: { ...nat, seed }, access: ACCESS });
  const mice = connect({ a: side(1), b: side(2) });
  const { net } = mice;
  net.time.runUntil(CONNECT_AT + 5000);
  mice[sleeper].node.pause();
  net.time.runUntil(net.time.now + forMs);
  mice[sleeper].node.resume();
  return { mice, wokeAt: net.time.now };
}

describe("a node that wakes up amid a session", () => {
  test.each([
    { sleeper: "mn", forMs: 25_000 },
    { sleeper: "cn", forMs: 25_000 },
    { sleeper: "mn", forMs: 12_000 },
    { sleeper: "cn", forMs: 12_000 },
    { sleeper: "mn", forMs: 700_000 },
    { sleeper: "cn", forMs: 4_000_000 },
  ] as const)("has data again within 2 s: $sleeper after $forMs ms", ({ sleeper, forMs }) => {
    const { mice, wokeAt } = sleepAmidSession(sleeper, forMs, FORGETFUL);
    expect(worksAfterMs(mice, wokeAt)).toBeLessThan(2000);
    mice.net.time.runUntil(wokeAt + 12_000);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
  });

  test.each(["mn", "cn"] as const)("is direct again within 5 s after half a minute: %s", (sleeper) => {
    const { mice, wokeAt } = sleepAmidSession(sleeper, 25_000, FORGETFUL);
    mice.net.time.runUntil(wokeAt + 5000);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
  });

  test("registers at once", () => {
    const { mice, wokeAt } = sleepAmidSession("mn", 25_000, FORGETFUL);
    const registered = registeredAfter(mice.mn, wokeAt);
    mice.net.time.runUntil(wokeAt + 100);
    expect(registered().map((atMs) => atMs - wokeAt)).toEqual([20]);
  });

  test("keeps a pair that still works", () => {
    const { mice, wokeAt } = sleepAmidSession("mn", 9000, { udpLifetimeSec: 120 });
    expect(worksAfterMs(mice, wokeAt)).toBe(0);
    expect(eventsOf(mice.mn, "pair-dead")).toEqual([]);
    expect(eventsOf(mice.mn, "offer-sent").length).toBe(1);
  });
});

test("a node without a session that wakes up can be reached after a round trip", () => {
  const mice = createMiceNet({ a: { access: ACCESS }, b: { nat: FORGETFUL, access: ACCESS } });
  const { net, mn, cn } = mice;
  net.time.runUntil(CONNECT_AT);
  cn.node.pause();
  net.time.runUntil(CONNECT_AT + 200_000);
  cn.node.resume();
  net.time.runUntil(net.time.now + 50);
  const flow = createNumberedFlow(mn, cn);
  flow.send();
  net.time.runUntil(net.time.now + 1000);
  expect(flow.arrivals()).toEqual([0]);
});

test("a busy machine that is a second late is no sleep", () => {
  const mice = connect({ a: { nat: {}, access: ACCESS }, b: { nat: { seed: 2 }, access: ACCESS } });
  const { net, mn } = mice;
  net.time.runUntil(CONNECT_AT + 5000);
  for (let i = 0; i < 20; i += 1) {
    mn.node.pause();
    net.time.runUntil(net.time.now + 1000);
    mn.node.resume();
    net.time.runUntil(net.time.now + 1000);
  }
  expect(mn.node.machine.counters()["resumed.after-sleep"]).toBeUndefined();
  expect(eventsOf(mn, "registered").length).toBe(1);
});

function registeredAfter(side: Side, atMs: number): () => readonly number[] {
  return () => eventsOf(side, "registered").flatMap((event) => (event.atMs > atMs ? [event.atMs] : []));
}
