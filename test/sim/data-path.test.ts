import { expect, test } from "vitest";
import { encodeUdpInIpv6 } from "../../agent/src/core/mip6/udp-in-ipv6.ts";
import { createMiceNet, createNumberedFlow, eventsOf, type MiceNet, SimHost } from "../../agent/src/testing/index.ts";
import { ACCESS, CONNECT_AT, connect, connectNatNat, SYMMETRIC } from "./scenario.ts";

/** Data packets on the internet sent directly from one NAT to the other: other than STUN, they begin with 6. */
function directData({ net }: MiceNet): number {
  return net.trace.filter(
    ({ from, to, packet }) =>
      from.startsWith("nat-") && to?.startsWith("nat-") === true && (packet.payload[0] ?? 0) >> 4 === 6,
  ).length;
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

test("data before, during and after the switch arrives once and completely, in both directions", () => {
  const mice = connectNatNat();
  const forth = createNumberedFlow(mice.mn, mice.cn);
  const back = createNumberedFlow(mice.cn, mice.mn);
  forth.sendEvery(1, 2000);
  back.sendEvery(1, 2000);
  mice.net.time.runUntil(CONNECT_AT + 3000);

  expect(forth.arrivals().toSorted((a, b) => a - b)).toEqual(numbers(2000));
  expect(back.arrivals().toSorted((a, b) => a - b)).toEqual(numbers(2000));
  const { "data.sent-home": home, "data.sent-direct": direct } = mice.mn.node.machine.counters();
  expect({ home, direct }).toEqual({ home: 321, direct: 1679 });
});

test("a faster direct path overtakes what is still on its way through slow home agents, and nothing is lost", () => {
  const mice = connect({
    a: { nat: {}, access: ACCESS },
    b: { nat: {}, access: ACCESS },
    homeAgents: { delayMs: 40 },
  });
  const forth = createNumberedFlow(mice.mn, mice.cn);
  forth.sendEvery(1, 3000);
  mice.net.time.runUntil(CONNECT_AT + 4000);
  const arrivals = forth.arrivals();
  expect(arrivals).not.toEqual(numbers(3000));
  expect(arrivals.toSorted((a, b) => a - b)).toEqual(numbers(3000));
});

test("after the switch the home agents see no packet of the flow", () => {
  const mice = connectNatNat();
  mice.runUntilBoth("path", 5000);
  mice.net.time.runUntil(mice.net.time.now + 100);
  const seenBefore = mice.net.trace.filter(({ from }) => from.startsWith("ha-")).length;
  const forth = createNumberedFlow(mice.mn, mice.cn);
  forth.sendEvery(10, 1000);
  mice.net.time.runUntil(mice.net.time.now + 2000);
  expect(forth.arrivals()).toEqual(numbers(100));
  expect(mice.net.trace.filter(({ from }) => from.startsWith("ha-")).length).toBe(seenBefore);
});

test("relay to relay is plain tunnelling: no Binding Update, no data from middlebox to middlebox", () => {
  const mice = connect({ a: { nat: SYMMETRIC, access: ACCESS }, b: { nat: SYMMETRIC, access: ACCESS } });
  expect(mice.runUntilBoth("path", 10_000)).toBe(true);
  const forth = createNumberedFlow(mice.mn, mice.cn);
  forth.sendEvery(10, 1000);
  mice.net.time.runUntil(mice.net.time.now + 3000);
  expect(forth.arrivals()).toEqual(numbers(100));
  expect(directData(mice)).toBe(0);
  expect(eventsOf(mice.mn, "binding-update-sent")).toEqual([]);
});

test("data flows through the home agents before any session exists", () => {
  const mice = createMiceNet({ a: { nat: {} }, b: { nat: {} } });
  mice.net.time.runUntil(CONNECT_AT);
  const forth = createNumberedFlow(mice.mn, mice.cn);
  forth.sendEvery(10, 100);
  mice.net.time.runUntil(CONNECT_AT + 1000);
  expect(forth.arrivals()).toEqual(numbers(10));
  expect(mice.mn.node.events.map(({ event }) => event.type)).toEqual(["registration-sent", "registered"]);
});

/** The draft without extensions: Indications, and no consent checks. */
const DRAFT_ALONE = { consentIntervalMs: 0 };

test("a silent pair is kept alive every 15 s, and data puts that off", () => {
  const side = { nat: {}, access: ACCESS, timers: DRAFT_ALONE };
  const mice = connect({ a: side, b: side });
  mice.runUntilBoth("path", 5000);
  const selectedAt = mice.net.time.now;
  mice.net.time.runUntil(selectedAt + 40_000);
  expect(eventsOf(mice.mn, "keepalive-sent").length).toBe(2);

  const forth = createNumberedFlow(mice.mn, mice.cn);
  forth.sendEvery(5000, 60_000);
  mice.net.time.runUntil(mice.net.time.now + 60_000);
  expect(eventsOf(mice.mn, "keepalive-sent").length).toBe(2);
  expect(mice.cn.node.machine.counters()["keepalives.received"]).toBe(2);
});

test("a silent pair on which nodes ask for consent needs no keepalive: it is never silent for 7 s", () => {
  const mice = connectNatNat();
  mice.runUntilBoth("path", 5000);
  const selectedAt = mice.net.time.now;
  mice.net.time.runUntil(selectedAt + 60_000);
  const leftAt = mice.net.trace
    .filter(({ from, to, atMs }) => from === "nat-a" && to === "nat-b" && atMs > selectedAt)
    .map(({ atMs }) => atMs);
  const gaps = leftAt.slice(1).map((at, i) => at - (leftAt[i] ?? 0));
  expect(Math.max(...gaps)).toBeLessThan(7000);
  const {
    "consent.sent": sent = 0,
    "consent.answered": answered,
    "keepalives.sent": keepalives,
  } = mice.mn.node.machine.counters();
  expect(sent).toBeGreaterThanOrEqual(10);
  expect(sent).toBeLessThanOrEqual(15);
  expect([answered, keepalives]).toEqual([sent, undefined]);
});

test("data from where no check came from is dropped, whatever its inner addresses say", () => {
  const mice = connect({ a: { access: ACCESS }, b: { access: ACCESS } });
  mice.runUntilBoth("path", 5000);
  const stranger = new SimHost(mice.net, "stranger");
  stranger.attach("internet", ["198.18.0.99/24"]);
  const payload = encodeUdpInIpv6({
    source: { ip: mice.mn.homeAddress, port: 7 },
    destination: { ip: mice.cn.homeAddress, port: 7 },
    payload: Uint8Array.of(1, 2, 3, 4),
  });
  stranger.send({ kind: "udp", source: { ip: "198.18.0.99", port: 40_001 }, destination: mice.cn.socket, payload });
  mice.net.time.runUntil(mice.net.time.now + 1000);
  expect(mice.cn.node.machine.counters()["dropped.data-from-stranger"]).toBe(1);
  expect(mice.cn.received).toEqual([]);
});
