import { expect, test } from "vitest";
import { DataPlane } from "../../../../agent/src/core/mice/data-plane.ts";
import { createStationaryHome } from "../../../../agent/src/core/mice/home/stationary-home.ts";
import { createSessionTable, DEFAULT_SESSION_LIMITS } from "../../../../agent/src/core/mice/session-table.ts";
import { encodeUdpInIpv6 } from "../../../../agent/src/core/mip6/udp-in-ipv6.ts";
import { createOutbox } from "../../../../agent/src/core/node/outbox.ts";

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
  const plane = new DataPlane(OWN, { outbox, sessions, home, control, nativePorts: new Set([40_000]) });
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
