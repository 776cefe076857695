/** The packets of a flow between two hosts, as captures show them. */

import type { ResolvedFlow, ResolvedNode, ResolvedTopology } from "../topology/model/resolved.ts";
import { lastSighting, type TracedPacket } from "../trace/follow-packets.ts";

/** A data packet from one host of a flow for the other. */
export interface FlowPacket {
  readonly packet: TracedPacket;
  readonly sentAt: number;
  /** Seen last on its way to the other host; absent for one that was lost. */
  readonly arrivedAt?: number;
  /** Nodes that it went through, other than routers. */
  readonly relays: readonly string[];
}

/** One direction of a flow, in the order of sending. */
export interface FlowDirection {
  readonly from: string;
  readonly to: string;
  /** Without what was sent before the first packet to an address arrived: that only opened the way. */
  readonly packets: readonly FlowPacket[];
}

/** Fewer packets than these in one direction are taken for a question and its answer. */
const TELLING_PACKETS = 5;

/** Both directions of a flow. */
export function flowDirections(
  { nodes }: ResolvedTopology,
  flow: ResolvedFlow,
  packets: readonly TracedPacket[],
): readonly [FlowDirection, FlowDirection] {
  const routers = new Set(nodes.filter(({ role }) => role === "router").map(({ name }) => name));
  const data = packets.filter((packet) => isData(flow, packet));
  const [one, other] = flow.between;
  return [directionOf(one, other, data, routers), directionOf(other, one, data, routers)];
}

function directionOf(
  from: string,
  to: string,
  data: readonly TracedPacket[],
  routers: ReadonlySet<string>,
): FlowDirection {
  const sent = data.filter((packet) => packet.sightings[0].sender === from);
  /** When the first packet to an address arrived was sent. */
  const opened = new Map<unknown, number>();
  for (const packet of sent) {
    const [{ at, tuple }] = packet.sightings;
    if (lastSighting(packet).receiver === to && !opened.has(tuple.destination)) opened.set(tuple.destination, at);
  }
  const own = sent.filter(({ sightings: [{ at, tuple }] }) => at >= (opened.get(tuple.destination) ?? Infinity));
  return {
    from,
    to,
    packets: own.map((packet) => {
      const last = lastSighting(packet);
      const relays = packet.sightings.slice(1).flatMap(({ sender }) => (routers.has(sender) ? [] : [sender]));
      return {
        ...{ packet, sentAt: packet.sightings[0].at, relays },
        ...(last.receiver === to ? { arrivedAt: last.at } : {}),
      };
    }),
  };
}

/**
 * Nodes with which both hosts exchange data, in both directions: they relay it, even where they pass on other content
 * than they were sent.
 */
export function commonPartners(
  { nodes }: ResolvedTopology,
  flow: ResolvedFlow,
  packets: readonly TracedPacket[],
): readonly string[] {
  const data = packets.filter((packet) => isData(flow, packet));
  const countOf = (from: string, to: string): number =>
    data.filter((packet) => packet.sightings[0].sender === from && lastSighting(packet).receiver === to).length;
  const isPartner = ({ name, role }: ResolvedNode): boolean =>
    role !== "router" &&
    !flow.between.includes(name) &&
    flow.between.every((end) => Math.min(countOf(end, name), countOf(name, end)) >= TELLING_PACKETS);
  return nodes.filter(isPartner).map(({ name }) => name);
}

function isData({ protocol, ports, minimumOctets }: ResolvedFlow, packet: TracedPacket): boolean {
  const { kind, octets, sightings } = packet;
  const [{ tuple }] = sightings;
  if (kind !== "data" || octets < minimumOctets || tuple.protocol !== protocol) return false;
  return (
    ports.length === 0 ||
    ports.includes(tuple.source.port) ||
    ports.includes(lastSighting(packet).tuple.destination.port)
  );
}
