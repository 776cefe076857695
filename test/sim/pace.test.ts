/** Transactions that all sessions of a node start together, as observed on its segment. */

import { describe, expect, test } from "vitest";
import { decodeStun } from "../../agent/src/core/stun/message.ts";
import { type Crowd, createCrowd, type SimPacket } from "../../agent/src/testing/index.ts";
import { asUdp, ipv6Packet } from "../../agent/src/testing/packet.ts";
import { ACCESS, CONNECT_AT, offer } from "./scenario.ts";

const LEAST_PACE_MS = 5;
/** Instants are sums of fractions. */
const ROUNDING_MS = 1e-6;

describe.each([
  { name: "one mobile node with fifty correspondents", a: 1, b: 50, one: "a1" },
  { name: "fifty mobile nodes with one correspondent", a: 50, b: 1, one: "b1" },
])("$name, all at once", ({ a, b, one }) => {
  test("the one starts no two transactions within 5 ms: gathering, checks of every kind, consent", () => {
    const crowd = createCrowd({ a, b, access: ACCESS });
    crowd.net.time.runUntil(CONNECT_AT);
    for (const from of crowd.a) for (const to of crowd.b) offer(from, to);
    crowd.net.time.runUntil(CONNECT_AT + 20_000);
    const starts = startsOf(crowd, one);
    const gaps = starts.slice(1).map((at, i) => at - (starts[i] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(LEAST_PACE_MS - ROUNDING_MS);
    // Each session gathers, checks three pairs or more, and sends consent checks.
    expect(starts.length).toBeGreaterThan(50 * 5);
    expect(counterOf(crowd, one, "consent.sent")).toBeGreaterThan(50);
  });
});

test("a session alone starts its checks when it always did: the first with the description, the others Ta apart", () => {
  const crowd = createCrowd({ a: 1, b: 1, access: ACCESS });
  const [from] = crowd.a;
  const [to] = crowd.b;
  if (from === undefined || to === undefined) throw new Error("a crowd has nodes");
  crowd.net.time.runUntil(CONNECT_AT);
  offer(from, to);
  crowd.net.time.runUntil(CONNECT_AT + 1000);
  for (const end of [from, to]) {
    const at = (type: string) => end.node.events.flatMap((entry) => (entry.event.type === type ? [entry.atMs] : []));
    const [listAt = 0] = at("check-list");
    const checks = at("check-sent").map((instant) => Math.round(instant - listAt));
    expect(checks.slice(0, 3)).toEqual([0, 20, 40]);
  }
});

/** Start times of a node's transactions: when each request was first seen on the segment. */
function startsOf({ net }: Crowd, node: string): readonly number[] {
  const startedAt = new Map<string, number>();
  for (const { atMs, from, packet } of net.trace) {
    const id = from === node ? requestIn(packet) : undefined;
    if (id !== undefined && !startedAt.has(id)) startedAt.set(id, atMs);
  }
  return [...startedAt.values()];
}

function counterOf({ a, b }: Crowd, node: string, name: string): number {
  const end = [...a, ...b].find(({ node: { host } }) => host.name === node);
  return end?.node.machine.counters()[name] ?? 0;
}

/** Transaction ID of a Binding request, tunnelled or not. */
function requestIn(packet: SimPacket): string | undefined {
  const udp = asUdp(packet);
  if (udp === undefined) return undefined;
  const message = decodeStun(udp.payload);
  if (message.ok)
    return message.value.class === "request" ? Buffer.from(message.value.transactionId).toString("hex") : undefined;
  const isTunnelled = udp.payload.length >= 40 && (udp.payload[0] ?? 0) >> 4 === 6;
  return isTunnelled ? requestIn(ipv6Packet(udp.payload)) : undefined;
}
