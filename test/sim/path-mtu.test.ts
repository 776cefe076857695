/** Large data over paths of small MTU: it passes or its sender is told, whether or not ICMP does. */

import { describe, expect, test } from "vitest";
import { decodeIpv6Packet } from "../../agent/src/core/mip6/ipv6-packet.ts";
import { encodeUdpInIpv6 } from "../../agent/src/core/mip6/udp-in-ipv6.ts";
import { createStationaryNet, type End, type MiceNet, packetOctets } from "../../agent/src/testing/index.ts";
import { ACCESS, CONNECT_AT, connectNatNat } from "./scenario.ts";

const UDP_AND_IPV6_OCTETS = 48;
const PACKET_TOO_BIG = 2;

/** From now on the link between the mobile node's NAT and the internet carries no larger packets, and says nothing. */
function narrow({ net }: MiceNet<End>, octets: number): void {
  net.intercept(({ segment, from, packet }) => {
    const isOnLink = from === "nat-a" || ("destination" in packet && addressOf(packet.destination) === "198.18.0.10");
    return segment !== "internet" || !isOnLink || packetOctets(packet) <= octets;
  });
}

function addressOf(end: string | { readonly ip: string }): string {
  return typeof end === "string" ? end : end.ip;
}

/** Sends datagrams of this payload every 20 ms, which the kernel of the receiver puts together. */
function sendLarge({ net }: MiceNet<End>, from: End, to: End, count: number, octets: number): void {
  for (let i = 0; i < count; i += 1) {
    net.time.at(net.time.now + 20 * i, () => {
      const packet = encodeUdpInIpv6({
        source: { ip: from.homeAddress, port: 9 },
        destination: { ip: to.homeAddress, port: 9 },
        payload: new Uint8Array(octets).fill(i),
      });
      from.node.tell((machine, now) => machine.handleTunPacket(now, packet));
    });
  }
}

/** What became of the datagrams: octets that arrived at the receiver, and the MTUs that the sender was told. */
function outcome(from: End, to: End, octets: number): { readonly arrived: number; readonly told: readonly number[] } {
  const payloadOctets = to.received.reduce((sum, packet) => {
    const isFragment = packet[6] === 44;
    return sum + packet.length - 40 - (isFragment ? 8 : 0);
  }, 0);
  const told = from.received.flatMap((packet) => {
    const ip = decodeIpv6Packet(packet);
    if (!ip.ok || ip.value.nextHeader !== 58 || ip.value.payload[0] !== PACKET_TOO_BIG) return [];
    return [new DataView(ip.value.payload.slice().buffer).getUint32(4)];
  });
  return { arrived: payloadOctets / (octets + 8), told };
}

function forget(end: End): void {
  end.received.length = 0;
}

const PATHS = ["direct", "home-agents"] as const;

describe.each(PATHS)("on the path %s", (path) => {
  test.each([
    [1280, 1200],
    [1280, 1400],
    [1124, 1200],
    [1124, 1400],
    [576, 600],
    [576, 1400],
  ])("with an MTU of %d octets, data of %d octets arrives or is refused, both ways", (mtu, octets) => {
    const mice = connectNatNat();
    if (path === "home-agents") separate(mice);
    mice.net.time.runUntil(20_000);
    narrow(mice, mtu);
    const { mn, cn } = mice;
    forget(mn);
    forget(cn);
    const count = 200;
    sendLarge(mice, mn, cn, count, octets);
    mice.net.time.runUntil(mice.net.time.now + 20 * count + 5000);
    const { arrived, told } = outcome(mn, cn, octets);
    expect(arrived + told.length).toBe(count);
    expect(new Set(told)).toEqual(new Set(octets + UDP_AND_IPV6_OCTETS > 1280 ? [1280] : []));
    // The first ones arrive: nobody is refused before it is known what passes.
    expect(arrived).toBeGreaterThanOrEqual(octets + UDP_AND_IPV6_OCTETS > 1280 ? 70 : count);
    forget(mn);
    forget(cn);
    sendLarge(mice, cn, mn, count, octets);
    mice.net.time.runUntil(mice.net.time.now + 20 * count + 5000);
    const back = outcome(cn, mn, octets);
    expect(back.arrived + back.told.length).toBe(count);
  });
});

/** Nothing passes from one NAT to the other. */
function separate({ net }: MiceNet): void {
  net.intercept(({ from, packet }) => !from.startsWith("nat") || !isBetweenNats(packet));
}

function isBetweenNats(packet: {
  readonly kind: string;
  readonly destination: string | { readonly ip: string };
}): boolean {
  return ["198.18.0.10", "198.18.0.20"].includes(addressOf(packet.destination));
}

test("a path of 1500 octets carries all data whole after the first round trip, and small data costs nothing", () => {
  const mice = connectNatNat();
  mice.runUntilBoth("path", 5000);
  const { mn, cn } = mice;
  forget(cn);
  sendLarge(mice, mn, cn, 50, 500);
  mice.net.time.runUntil(mice.net.time.now + 2000);
  expect(mn.node.machine.counters()["mtu.probes-sent"]).toBeUndefined();
  sendLarge(mice, mn, cn, 50, 1400);
  mice.net.time.runUntil(mice.net.time.now + 2000);
  const { "mtu.fragmented": fragmented, "mtu.probes-sent": probes } = mn.node.machine.counters();
  // A round trip of 40 ms, a packet every 20 ms.
  expect(fragmented).toBeLessThanOrEqual(3);
  expect(probes).toBe(4);
  expect(outcome(mn, cn, 1400).told).toEqual([]);
});

test("a path that becomes narrow is noticed within seven seconds", () => {
  const mice = connectNatNat();
  mice.runUntilBoth("path", 5000);
  const { mn, cn } = mice;
  sendLarge(mice, mn, cn, 50, 1200);
  mice.net.time.runUntil(mice.net.time.now + 2000);
  narrow(mice, 1124);
  sendLarge(mice, mn, cn, 350, 1200);
  mice.net.time.runUntil(mice.net.time.now + 7000);
  forget(cn);
  sendLarge(mice, mn, cn, 50, 1200);
  mice.net.time.runUntil(mice.net.time.now + 2000);
  expect(outcome(mn, cn, 1200).arrived).toBe(50);
});

describe("without a session, through the tunnel alone", () => {
  test.each([
    [1280, 1200],
    [1280, 1400],
    [1124, 1200],
    [1124, 1400],
    [576, 600],
  ])("with an MTU of %d octets, data of %d octets arrives or is refused, both ways", (mtu, octets) => {
    const mice = createStationaryNet({ a: { nat: {}, access: ACCESS } });
    mice.net.time.runUntil(CONNECT_AT);
    narrow(mice, mtu);
    const { mn, cn } = mice;
    const count = 200;
    for (const [from, to] of [
      [mn, cn],
      [cn, mn],
    ] as const) {
      forget(mn);
      forget(cn);
      sendLarge(mice, from, to, count, octets);
      mice.net.time.runUntil(mice.net.time.now + 20 * count + 5000);
      const { arrived, told } = outcome(from, to, octets);
      expect(arrived + told.length).toBe(count);
      expect(new Set(told)).toEqual(new Set(octets + UDP_AND_IPV6_OCTETS > 1280 ? [1280] : []));
      expect(arrived).toBeGreaterThanOrEqual(70);
    }
  });
});
