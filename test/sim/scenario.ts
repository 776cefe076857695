import { decodeIpv6Packet, NEXT_HEADER } from "../../agent/src/core/mip6/ipv6-packet.ts";
import { decodeMobilityMessage, type MobilityMessage } from "../../agent/src/core/mip6/messages.ts";
import {
  createMiceNet,
  createNumberedFlow,
  createStationaryNet,
  type End,
  eventsOf,
  type MiceNet,
  type MiceNetSetup,
  type NatProfile,
  type SimPacket,
  type StationaryNetSetup,
  type TraceEntry,
} from "../../agent/src/testing/index.ts";

/** A NAT with a new, random port for every destination, which accepts packets only from that destination. */
export const SYMMETRIC: Partial<NatProfile> = { mapping: "address-and-port-dependent", portAssignment: "random" };

/** Between each edge and the internet: a round trip of 40 ms between two nodes. */
export const ACCESS = { delayMs: 10 };

/** When sessions begin: registration is complete, both nodes are idle. */
export const CONNECT_AT = 1000;

/** The network of `setup`, registered, with the mobile node about to offer. */
export function connect(setup: MiceNetSetup): MiceNet {
  const mice = createMiceNet(setup);
  mice.net.time.runUntil(CONNECT_AT);
  offer(mice.mn, mice.cn);
  return mice;
}

/** Both ends behind home routers: the most common case. */
export function connectNatNat(seed = 1): MiceNet {
  return connect({ a: { nat: {}, access: ACCESS }, b: { nat: { seed: 2 }, access: ACCESS }, seed });
}

/** The same with a correspondent node without a home agent. */
export function connectStationary(setup: StationaryNetSetup): MiceNet<End> {
  const mice = createStationaryNet(setup);
  mice.net.time.runUntil(CONNECT_AT);
  offer(mice.mn, mice.cn);
  return mice;
}

/** Makes one side offer a session to the other. */
export function offer(from: End, to: End): void {
  from.node.tell((machine, now) => machine.connect(now, to.homeAddress));
}

/** The path that an end reports for its data, with the candidate types of the selected pair. */
export function pathOf(end: End): string {
  const last = eventsOf(end, "path").at(-1)?.event;
  if (last === undefined) return "none";
  const ends = last.pair === undefined ? "" : ` ${last.pair.local.type} ${last.pair.remote.type}`;
  return `${last.path}${ends}`;
}

/** Reasons for session failures at an end. */
export function failuresOf(end: End): readonly string[] {
  return eventsOf(end, "session-failed").map(({ event }) => event.reason);
}

/** How many of ten packets in each direction arrive; the first end sends first. */
export function dataBothWays({ net, mn, cn }: MiceNet<End>): readonly number[] {
  const flows = [createNumberedFlow(mn, cn), createNumberedFlow(cn, mn)];
  for (const flow of flows) flow.sendEvery(10, 100);
  net.time.runUntil(net.time.now + 1000);
  return flows.map((flow) => flow.arrivals().length);
}

/** Milliseconds from the offer to the nomination at the mobile node. */
export function nominatedAfterMs({ mn }: MiceNet<End>): number | undefined {
  return eventsOf(mn, "nominated")[0]?.event.afterMs;
}

/** MH type of a mobility message in UDP, tunnelled or on a pair; undefined for everything else. */
export function mobilityTypeOf({ kind, payload }: SimPacket): number | undefined {
  const isMobility = kind === "udp" && (payload[0] ?? 0) >> 4 === 6 && payload[6] === 135;
  return isMobility ? payload[42] : undefined;
}

/** The mobility message in a packet, in UDP or not; undefined for everything else. */
export function mobilityMessageOf({ payload }: SimPacket): MobilityMessage | undefined {
  const ip = decodeIpv6Packet(payload);
  if (!ip.ok || ip.value.nextHeader !== NEXT_HEADER.mobility) return undefined;
  const message = decodeMobilityMessage(ip.value.payload, ip.value);
  return message.ok && message.value.type !== "unknown" ? message.value : undefined;
}

/** Drops the first `count` mobility messages of a type that a node sends. */
export function loseFirst({ net }: MiceNet<End>, from: string, mhType: number, count = 1): void {
  let left = count;
  net.intercept((hop) => {
    if (left === 0 || hop.from !== from || mobilityTypeOf(hop.packet) !== mhType) return true;
    left -= 1;
    return false;
  });
}

/** The mobility messages that a node sent, in order. */
export function mobilityFrom({ net }: MiceNet<End>, from: string): readonly TraceEntry[] {
  return net.trace.filter((entry) => entry.from === from && mobilityTypeOf(entry.packet) !== undefined);
}
