/** The mapping of the tunnel in NATs that forget soon: whoever is registered can be reached. */

import { describe, expect, test } from "vitest";
import {
  createMiceNet,
  createNumberedFlow,
  eventsOf,
  type MiceNet,
  type MiceNetSetup,
  type NatProfile,
} from "../../agent/src/testing/index.ts";
import { ACCESS, CONNECT_AT, connect, offer, pathOf } from "./scenario.ts";

const DIRECT = "direct server-reflexive server-reflexive";

/** A NAT that forgets an idle mapping after this time, and makes another one then. */
function forgetsAfter(udpLifetimeSec: number): Partial<NatProfile> {
  return { udpLifetimeSec, portAssignment: "random" };
}

/** Both ends behind such NATs. */
function bothBehind(udpLifetimeSec: number): MiceNetSetup {
  const nat = forgetsAfter(udpLifetimeSec);
  return { a: { nat: { ...nat, seed: 1 }, access: ACCESS }, b: { nat: { ...nat, seed: 2 }, access: ACCESS } };
}

/** How many of ten packets from the mobile to the correspondent node arrive. */
function tenPackets({ net, mn, cn }: MiceNet): number {
  const before = cn.received.length;
  createNumberedFlow(mn, cn).sendEvery(100, 1000);
  net.time.runUntil(net.time.now + 2000);
  return cn.received.length - before;
}

describe("a node without a session", () => {
  test("is reached at any time behind a NAT that forgets after 30 s", () => {
    const mice = createMiceNet({ a: { access: ACCESS }, b: { nat: forgetsAfter(30), access: ACCESS } });
    for (const idleMs of [29_000, 45_000, 100_000, 600_000]) {
      mice.net.time.runUntil(mice.net.time.now + idleMs);
      expect(tenPackets(mice)).toBe(10);
    }
    expect(mice.cn.node.machine.counters()["tunnel.asked"]).toBeGreaterThan(774 / 25);
  });

  test("asks at the interval of its settings", () => {
    const mice = createMiceNet({ a: { access: ACCESS, timers: { tunnelKeepaliveMs: 60_000 } } });
    mice.net.time.runUntil(600_000);
    const { "tunnel.asked": asked = 0 } = mice.mn.node.machine.counters();
    expect(asked).toBeGreaterThanOrEqual(600 / 60 - 1);
    expect(asked).toBeLessThanOrEqual(600 / 48);
  });

  test("learns from lost mappings how often it has to ask", () => {
    const mice = createMiceNet({ a: { access: ACCESS }, b: { nat: forgetsAfter(10), access: ACCESS } });
    mice.net.time.runUntil(120_000);
    for (const idleMs of [11_000, 17_000, 29_000, 47_000]) {
      mice.net.time.runUntil(mice.net.time.now + idleMs);
      expect(tenPackets(mice)).toBe(10);
    }
  });
});

describe("a node whose data is direct", () => {
  test.each([30, 20, 8])("has a tunnel that works at any time, though its NAT forgets after %d s", (lifetimeSec) => {
    const mice = connect(bothBehind(lifetimeSec));
    const { net, mn, cn } = mice;
    net.time.runUntil(CONNECT_AT + 5000);
    expect([pathOf(mn), pathOf(cn)]).toEqual([DIRECT, DIRECT]);
    for (const afterMs of [40_000, 70_000, 105_000, 200_000]) {
      net.time.runUntil(CONNECT_AT + afterMs);
      const answeredBefore = eventsOf(cn, "answer-sent").length;
      offer(mn, cn);
      // Gathering, then an offer by both home agents: an unreachable tunnel would cost a repetition after a second.
      net.time.runUntil(net.time.now + 300);
      expect(eventsOf(cn, "answer-sent").length).toBe(answeredBefore + 1);
      net.time.runUntil(net.time.now + 5000);
    }
  });

  test("is asked as rarely as its settings say where consent is switched off", () => {
    const timers = { consentIntervalMs: 0, tunnelKeepaliveMs: 25_000 };
    const mice = connect({ a: { nat: {}, access: ACCESS, timers }, b: { nat: { seed: 2 }, access: ACCESS } });
    mice.net.time.runUntil(CONNECT_AT + 300_000);
    const { "tunnel.asked": asked = 0 } = mice.mn.node.machine.counters();
    expect(asked).toBeLessThanOrEqual(300 / 20);
  });
});

test("a NAT that reboots amid direct data is noticed by the tunnel, and the pair is given up at once", () => {
  const mice = connect(bothBehind(300));
  const { net, mn, cn } = mice;
  net.time.runUntil(CONNECT_AT + 20_000);
  const rebootAt = net.time.now;
  mn.nat?.table.clear();
  net.time.runUntil(rebootAt + 10_000);
  const [death] = eventsOf(mn, "pair-dead");
  // A question in 4 to 5 s, and a second of doubt.
  expect((death?.atMs ?? Infinity) - rebootAt).toBeLessThan(6200);
  expect([pathOf(mn), pathOf(cn)]).toEqual([DIRECT, DIRECT]);
});
