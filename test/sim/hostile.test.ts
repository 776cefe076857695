import { describe, expect, test } from "vitest";
import {
  createMiceNet,
  createNumberedFlow,
  eventsOf,
  type MiceNet,
  type SimPacket,
  seededRng,
  type UdpPacket,
} from "../../agent/src/testing/index.ts";
import { ACCESS, CONNECT_AT, connectNatNat, offer, pathOf } from "./scenario.ts";

const DIRECT = "direct server-reflexive server-reflexive";

/** Every datagram that a node receives arrives twice: first damaged, then unchanged. */
function damageEverything({ net, mn, cn }: MiceNet, seed: number): void {
  const rng = seededRng(seed);
  for (const { node, socket } of [mn, cn]) {
    node.host.bind(socket, (payload, remote) => {
      const octet = rng.integer(0, payload.length - 1);
      const damaged = payload.with(octet, (payload[octet] ?? 0) ^ rng.integer(1, 255));
      const cut = payload.subarray(0, rng.integer(0, payload.length));
      for (const copy of [damaged, cut, payload])
        node.tell((machine, now) => machine.handleDatagram(now, { local: socket, remote, payload: copy }));
    });
  }
  expect(net.time.now).toBe(0);
}

function isUdp(packet: SimPacket): packet is UdpPacket {
  return packet.kind === "udp";
}

test.each(Array.from({ length: 25 }, (_, i) => i + 1))(
  "damaged copies ahead of every datagram change nothing (seed %i)",
  (seed) => {
    const mice = createMiceNet({ a: { nat: {}, access: ACCESS }, b: { nat: { seed: 2 }, access: ACCESS }, seed });
    damageEverything(mice, seed);
    mice.net.time.runUntil(CONNECT_AT);
    offer(mice.mn, mice.cn);
    mice.net.time.runUntil(CONNECT_AT + 10_000);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
    expect(eventsOf(mice.cn, "offer-received").length).toBe(1);
    expect(eventsOf(mice.cn, "binding-update-received").map(({ event }) => event.status)[0]).toBe(0);
  },
);

describe("replays", () => {
  test("everything that both nodes ever received, played again, makes no session and moves no data", () => {
    const mice = connectNatNat();
    mice.net.time.runUntil(CONNECT_AT + 5000);
    const received = mice.net.trace.filter(({ to, packet }) => (to === "mn" || to === "cn") && isUdp(packet));
    for (const { to, packet } of received) {
      if (!isUdp(packet)) continue;
      const { node, socket } = to === "mn" ? mice.mn : mice.cn;
      const { source: remote, payload } = packet;
      node.tell((machine, now) => machine.handleDatagram(now, { local: socket, remote, payload }));
    }
    mice.net.time.runUntil(CONNECT_AT + 10_000);
    expect(eventsOf(mice.cn, "offer-received").length).toBe(1);
    expect(eventsOf(mice.mn, "nominated").length).toBe(1);
    expect([pathOf(mice.mn), pathOf(mice.cn)]).toEqual([DIRECT, DIRECT]);
    // The replayed Binding Update is answered with the last accepted sequence number, and has no other effect.
    expect(eventsOf(mice.cn, "binding-update-received").map(({ event }) => event.status)).toEqual([0, 135]);
    const flow = createNumberedFlow(mice.mn, mice.cn);
    flow.sendEvery(10, 100);
    mice.net.time.runUntil(mice.net.time.now + 1000);
    expect(flow.arrivals().length).toBe(10);
  });
});
