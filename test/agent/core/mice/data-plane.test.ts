import { expect, test } from "vitest";
import { DataPlane } from "../../../../agent/src/core/mice/data-plane.ts";
import { createStationaryHome } from "../../../../agent/src/core/mice/home/stationary-home.ts";
import { createSessionTable, DEFAULT_SESSION_LIMITS } from "../../../../agent/src/core/mice/session-table.ts";
import { fragmentsOf } from "../../../../agent/src/core/mip6/ipv6-fragment.ts";
import { encodeIpv6Packet, NEXT_HEADER } from "../../../../agent/src/core/mip6/ipv6-packet.ts";
import { BASE_MTU } from "../../../../agent/src/core/mip6/path-mtu.ts";
import { PathMtus } from "../../../../agent/src/core/mip6/path-mtus.ts";
import { encodeUdpInIpv6 } from "../../../../agent/src/core/mip6/udp-in-ipv6.ts";
import { createOutbox } from "../../../../agent/src/core/node/outbox.ts";
import { seededRng } from "../../../../agent/src/testing/index.ts";

const OWN = "2001:db8::20";
const PEER = "2001:db8:a::100";

/** The data plane of a stationary node without sessions; `signalling` holds what it took for Mobility Headers. */
function stationaryPlane() {
  const outbox = createOutbox();
  const signalling: Uint8Array[] = [];
  const sessions = createSessionTable(DEFAULT_SESSION_LIMITS, () => {
    throw new Error("no session is wanted here");
  });
  const control = {
    handleMobility: (_now: number, packet: Uint8Array) => signalling.push(packet) > 0,
    handleRelayed: () => false,
  };
  const home = createStationaryHome(outbox);
  const mtus = new PathMtus({
    source: OWN,
    rng: seededRng(1),
    count: (name) => outbox.count(name),
    send: () => undefined,
    refuse: (error) => outbox.toTun(error),
  });
  const plane = new DataPlane(OWN, { outbox, sessions, home, mtus, control, nativePorts: new Set([40_000]) });
  return { plane, outbox, signalling };
}

function udp(from: string, fromPort: number, to: string): Uint8Array {
  const end = (ip: string, port: number) => ({ ip, port });
  return encodeUdpInIpv6({ source: end(from, fromPort), destination: end(to, 7), payload: Uint8Array.of(1) });
}

test("data for a home address without a direct path goes back to the kernel, which forwards it", () => {
  const { plane, outbox } = stationaryPlane();
  const packet = udp(OWN, 5000, PEER);
  expect(plane.fromTun(0, packet)).toBe("data");
  expect(outbox.pollTunPacket()).toEqual(packet);
  expect(outbox.counters()).toEqual({ "data.sent-home": 1 });
});

test("a check from the node's own socket to a home address is no data", () => {
  const { plane, outbox } = stationaryPlane();
  const packet = udp(OWN, 40_000, PEER);
  plane.fromTun(0, packet);
  expect(outbox.pollTunPacket()).toEqual(packet);
  expect(outbox.counters()).toEqual({});
});

test("a Mobility Header for the node is signalling; anything else for it is dropped", () => {
  const { plane, outbox, signalling } = stationaryPlane();
  const header = udp(PEER, 1, OWN);
  header[6] = 135;
  expect(plane.fromTun(0, header)).toBe("signalling");
  expect(signalling).toEqual([header]);
  plane.fromTun(0, udp(PEER, 5000, OWN));
  expect(outbox.pollTunPacket()).toBeUndefined();
  expect(outbox.counters()).toEqual({ "dropped.tun-own-address": 1 });
});

test("a Mobility Header of 1400 octets that arrives in fragments is taken once, whole", () => {
  const { plane, signalling } = stationaryPlane();
  const payload = Uint8Array.from({ length: 1400 }, (_, i) => i % 251);
  const packet = encodeIpv6Packet({ source: PEER, destination: OWN, nextHeader: NEXT_HEADER.mobility, payload });
  const fragments = fragmentsOf(packet, BASE_MTU, 7);
  expect(fragments.map((fragment) => plane.fromTun(0, fragment))).toEqual(fragments.map(() => "signalling"));
  expect(fragments.length).toBeGreaterThan(1);
  expect(signalling).toEqual([packet]);
});

test("fragments of data go back to the kernel, which puts them together", () => {
  const { plane, outbox, signalling } = stationaryPlane();
  const payload = new Uint8Array(1400);
  const packet = encodeIpv6Packet({ source: PEER, destination: OWN, nextHeader: NEXT_HEADER.udp, payload });
  const fragments = fragmentsOf(packet, BASE_MTU, 7);
  for (const fragment of fragments) plane.fromTun(0, fragment);
  expect(fragments.map(() => outbox.pollTunPacket())).toEqual(fragments);
  expect(signalling).toEqual([]);
});
