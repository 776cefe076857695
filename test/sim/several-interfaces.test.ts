/** Nodes with several interfaces: which of them the tunnel to the home agent takes. */

import { describe, expect, test } from "vitest";
import {
  createMiceNet,
  createNumberedFlow,
  eventsOf,
  type MiceNet,
  type NumberedFlow,
  type Side,
} from "../../agent/src/testing/index.ts";
import { ACCESS, CONNECT_AT, offer, pathOf } from "./scenario.ts";

const WLAN = "192.168.1.2";
const LTE = "10.1.0.2";
const BRIDGE = "10.1.0.2";
const DIRECT = "direct server-reflexive server-reflexive";
const DATA_EVERY_MS = 20;

/** The mobile node on a WLAN and on LTE, the correspondent behind a NAT. */
function wlanAndLte(): MiceNet {
  const lte = { nat: { seed: 3 }, access: { delayMs: 30 } };
  return createMiceNet({ a: { nat: {}, access: ACCESS, further: [lte] }, b: { nat: { seed: 2 }, access: ACCESS } });
}

/** While `isCut`, the WLAN's router lets nothing pass. */
function cutWlan({ net }: MiceNet, isCut: () => boolean): void {
  net.intercept(({ from }) => from !== "nat-a" || !isCut());
}

function registeredFrom(side: Side): readonly string[] {
  return eventsOf(side, "registered").map(({ event }) => event.careOf.ip);
}

function registeredAt(side: Side, ip: string, afterMs = 0): number {
  const found = eventsOf(side, "registered").find(({ atMs, event }) => atMs >= afterMs && event.careOf.ip === ip);
  return found?.atMs ?? Infinity;
}

/** Data in both directions for this long. */
function startData({ mn, cn }: MiceNet, forMs: number): readonly NumberedFlow[] {
  const flows = [createNumberedFlow(mn, cn), createNumberedFlow(cn, mn)];
  for (const flow of flows) flow.sendEvery(DATA_EVERY_MS, forMs);
  return flows;
}

/** How many packets of each direction were lost of those sent from this number on. */
function lost(flows: readonly NumberedFlow[], first = 0): readonly number[] {
  return flows.map((flow) => flow.sent - first - flow.arrivals().filter((number) => number >= first).length);
}

describe("registration", () => {
  test("takes the preferred interface alone when that answers", () => {
    const mice = wlanAndLte();
    mice.net.time.runUntil(10_000);
    expect(registeredFrom(mice.mn)).toEqual([WLAN]);
    const byLte = mice.net.trace.filter(({ from, segment }) => from === "mn" && segment === "home-2");
    expect(byLte).toEqual([]);
  });

  test("takes another interface a second later when the preferred one is closed to UDP", () => {
    const mice = wlanAndLte();
    cutWlan(mice, () => true);
    mice.net.time.runUntil(10_000);
    // A second, 5 ms of pace behind the question on the WLAN, and two round trips of 60 ms.
    expect(registeredAt(mice.mn, LTE)).toBe(1125);
    expect(registeredFrom(mice.mn)).toEqual([LTE]);
  });

  test("takes the one that works of several, whatever their order", () => {
    const closed = { nat: { seed: 3 }, access: { lossRate: 1 } };
    const mice = createMiceNet({ a: { nat: {}, access: { lossRate: 1 }, further: [closed, closed, { nat: {} }] } });
    mice.net.time.runUntil(10_000);
    expect(registeredFrom(mice.mn)).toEqual(["10.1.2.2"]);
    expect(registeredAt(mice.mn, "10.1.2.2")).toBeLessThan(1100);
  });

  test("never uses a segment without a router, though it is preferred", () => {
    const mice = createMiceNet({ a: { nat: {}, access: ACCESS, further: [{ isPreferred: true }] } });
    mice.net.time.runUntil(60_000);
    expect(registeredAt(mice.mn, WLAN)).toBeLessThan(100);
    expect(mice.mn.homeAgent.events[0]?.event).toMatchObject({ type: "binding-registered", careOf: WLAN });
    const fromBridge = mice.net.trace.filter(({ packet }) => packet.kind === "udp" && packet.source.ip === BRIDGE);
    expect(fromBridge).toEqual([]);
  });

  test("fails with a reason when no segment has a router", () => {
    const mice = createMiceNet({ a: { nat: {}, access: ACCESS } });
    const [socket] = [{ ip: BRIDGE, port: 40_001, prefixLength: 24, hasRouter: false }];
    mice.mn.node.tell((machine, now) => machine.retarget(now, [socket]));
    expect(eventsOf(mice.mn, "registration-failed").map(({ event }) => event.reason)).toEqual([
      "no socket has a way to the home agent",
    ]);
  });
});

describe("a session whose preferred interface dies", () => {
  test("goes on by the other one, directly, and the tunnel returns when the first one works again", () => {
    const mice = wlanAndLte();
    const { net, mn, cn } = mice;
    net.time.runUntil(CONNECT_AT);
    offer(mn, cn);
    net.time.runUntil(CONNECT_AT + 5000);
    expect([pathOf(mn), pathOf(cn)]).toEqual([DIRECT, DIRECT]);
    const flows = startData(mice, 60_000);
    const [diesAt, worksAt] = [net.time.now + 5000, net.time.now + 30_000];
    cutWlan(mice, () => net.time.now >= diesAt && net.time.now < worksAt);

    net.time.runUntil(worksAt);
    expect([pathOf(mn), pathOf(cn)]).toEqual([DIRECT, DIRECT]);
    expect(eventsOf(mn, "path").at(-1)?.event.pair?.local.base?.ip).toBe(LTE);
    // A question in 4 to 5 s, 2 s of silence, 1 s of doubt; the peer has to wait for the offer.
    expect(registeredAt(mn, LTE, diesAt) - diesAt).toBeLessThan(7200);
    expect(Math.max(...lost(flows)) * DATA_EVERY_MS).toBeLessThan(9000);

    const sentSoFar = Math.max(...flows.map(({ sent }) => sent));
    net.time.runUntil(worksAt + 40_000);
    // Questions each 5 s, three answers half a second apart.
    expect(registeredAt(mn, WLAN, worksAt) - worksAt).toBeLessThan(6500);
    expect(lost(flows, sentSoFar)).toEqual([0, 0]);
  });
});

describe("data through the home agents", () => {
  test("moves to another interface when its own is dead, and back without losing a packet", () => {
    const mice = wlanAndLte();
    const { net, mn } = mice;
    net.time.runUntil(CONNECT_AT);
    const flows = startData(mice, 60_000);
    const [diesAt, worksAt] = [net.time.now + 10_000, net.time.now + 30_000];
    cutWlan(mice, () => net.time.now >= diesAt && net.time.now < worksAt);
    net.time.runUntil(worksAt);
    expect(Math.max(...lost(flows)) * DATA_EVERY_MS).toBeLessThan(7500);
    const sentSoFar = Math.max(...flows.map(({ sent }) => sent));
    net.time.runUntil(worksAt + 40_000);
    expect(registeredFrom(mn).at(-1)).toBe(WLAN);
    expect(lost(flows, sentSoFar)).toEqual([0, 0]);
  });

  test("stays where it is while the preferred interface answers questions but no registration", () => {
    const mice = wlanAndLte();
    const { net, mn } = mice;
    const isUpdate = (payload: Uint8Array): boolean => payload[6] === 135;
    let isCut = true;
    cutWlan(mice, () => isCut);
    net.time.runUntil(10_000);
    isCut = false;
    net.intercept(({ segment, from, packet }) => !(segment === "home" && from === "nat-a" && isUpdate(packet.payload)));
    const flows = startData(mice, 60_000);
    net.time.runUntil(100_000);
    expect(mn.node.machine.pollTimeout()).toBeDefined();
    expect(new Set(registeredFrom(mn))).toEqual(new Set([LTE]));
    // An attempt moves the home agent's binding for 2 s, and is repeated after a minute.
    const [uplink, downlink = 0] = lost(flows);
    expect(uplink).toBe(0);
    expect(downlink * DATA_EVERY_MS).toBeLessThan(2 * 2200);
  });

  test("moves to no other interface in an outage of the home agent itself", () => {
    const mice = wlanAndLte();
    const { net, mn } = mice;
    net.time.runUntil(CONNECT_AT);
    const backAt = net.time.now + 60_000;
    net.intercept(({ from }) => from !== "ha-a" || net.time.now >= backAt);
    net.time.runUntil(backAt + 10_000);
    expect(registeredFrom(mn).at(-1)).toBe(WLAN);
    const [flow] = [createNumberedFlow(mn, mice.cn)];
    flow.sendEvery(DATA_EVERY_MS, 1000);
    net.time.runUntil(net.time.now + 2000);
    expect(lost([flow])).toEqual([0]);
  });
});
