/**
 * Captured Ethernet frames as what is followed: five-tuples, and a content that routers leave as it is. An IPv6 packet in UDP or in IPv6, as in a tunnel of a home agent, counts as a packet of its own.
 */

import { type ContentKind, contentOf, u16, u32 } from "./content.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { FiveTuple, TracedProtocol, TupleTable } from "./five-tuple.ts";
import type { Reassembly } from "./reassembly.ts";

/** A packet as it was seen once. */
export interface DecodedPacket {
  /** Of the content. */
  readonly tuple: FiveTuple;
  /** Of the tunnels that it is in, outermost first. */
  readonly tunnels: readonly FiveTuple[];
  readonly kind: ContentKind;
  readonly content: Uint8Array;
  /** Distinguishes equal contents: the sequence number of TCP and of ICMP; 0 for UDP. */
  readonly sequence: number;
  /** Of the content as it was sent; a capture may hold less of it. */
  readonly octets: number;
  /** Equal for equal contents. */
  readonly fingerprint: number;
  /** It is relayed data, in a message of TURN. */
  readonly isWrapped: boolean;
}

const ETHERNET_HEADER_LENGTH = 14;
const ETHERTYPE = { ipv4: 0x0800, ipv6: 0x86dd } as const;
const PROTOCOL = { hopByHop: 0, icmp: 1, tcp: 6, udp: 17, ipv6: 41, fragment: 44, icmpv6: 58, options: 60 } as const;
const IPV6_HEADER_LENGTH = 40;
const UDP_HEADER_LENGTH = 8;
const ICMP_HEADER_LENGTH = 8;
const SHORTEST_TCP_HEADER = 20;
/** Echo request and reply of ICMP (RFC 792) and ICMPv6 (RFC 4443). */
const ECHO_TYPES: readonly number[] = [8, 0, 128, 129];
/** Deeper nesting than any lab has. */
const MOST_LAYERS = 4;

/** What decoding keeps from frame to frame of one capture. */
export interface FrameContext {
  readonly tuples: TupleTable;
  readonly fragments: Reassembly;
}

/** Undefined for everything that is not followed: no content, other protocols, a fragment that completes no packet. */
export function decodeFrame(
  frame: Uint8Array,
  lengthOnSegment: number,
  context: FrameContext,
): DecodedPacket | undefined {
  const missing = lengthOnSegment - frame.length;
  const packet = frame.subarray(ETHERNET_HEADER_LENGTH);
  switch (u16(frame, 12)) {
    case ETHERTYPE.ipv4:
      return decodeIpv4(packet, missing, context);
    case ETHERTYPE.ipv6:
      return decodeIpv6(packet, missing, context, []);
    default:
      return undefined;
  }
}

/** What follows the header of an IP packet. */
interface Inner {
  readonly protocol: number;
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly payload: Uint8Array;
  /** Octets that the capture has cut off. */
  readonly missing: number;
  readonly outer: readonly FiveTuple[];
}

function decodeIpv4(packet: Uint8Array, missing: number, context: FrameContext): DecodedPacket | undefined {
  const headerLength = ((packet[0] ?? 0) & 0x0f) * 4;
  const end = Math.min(packet.length, u16(packet, 2));
  const [source, destination] = [packet.subarray(12, 16), packet.subarray(16, 20)];
  const protocol = packet[9] ?? 0;
  const fragment = u16(packet, 6);
  const part = packet.subarray(headerLength, end);
  const isFragment = (fragment & 0x3fff) !== 0;
  const payload = isFragment
    ? context.fragments.add({
        key: `${source.join()} ${destination.join()} ${u16(packet, 4)} ${protocol}`,
        ...{ offset: (fragment & 0x1fff) * 8, hasMore: (fragment & 0x2000) !== 0, part },
      })
    : part;
  if (payload === undefined) return undefined;
  return decodeInner({ protocol, source, destination, payload, missing, outer: [] }, context);
}

function decodeIpv6(
  packet: Uint8Array,
  missing: number,
  context: FrameContext,
  outer: readonly FiveTuple[],
): DecodedPacket | undefined {
  const [source, destination] = [packet.subarray(8, 24), packet.subarray(24, 40)];
  let protocol = packet[6] ?? 0;
  let payload = packet.subarray(IPV6_HEADER_LENGTH, Math.min(packet.length, IPV6_HEADER_LENGTH + u16(packet, 4)));
  for (;;) {
    const next = payload[0] ?? 0;
    if (protocol === PROTOCOL.fragment) {
      const whole = context.fragments.add({
        key: `${source.join()} ${destination.join()} ${u32(payload, 4)}`,
        offset: u16(payload, 2) & 0xfff8,
        hasMore: (u16(payload, 2) & 1) !== 0,
        part: payload.subarray(8),
      });
      if (whole === undefined) return undefined;
      payload = whole;
    } else if (protocol === PROTOCOL.hopByHop || protocol === PROTOCOL.options)
      payload = payload.subarray(8 + (payload[1] ?? 0) * 8);
    else break;
    protocol = next;
  }
  return decodeInner({ protocol, source, destination, payload, missing, outer }, context);
}

function decodeInner(inner: Inner, context: FrameContext): DecodedPacket | undefined {
  switch (inner.protocol) {
    case PROTOCOL.udp:
      return decodeUdp(inner, context);
    case PROTOCOL.tcp:
      return decodeTcp(inner, context);
    case PROTOCOL.icmp:
    case PROTOCOL.icmpv6:
      return decodeEcho(inner, context);
    case PROTOCOL.ipv6:
      return inner.outer.length < MOST_LAYERS
        ? decodeIpv6(inner.payload, inner.missing, context, inner.outer)
        : undefined;
    default:
      return undefined;
  }
}

function decodeUdp(inner: Inner, context: FrameContext): DecodedPacket | undefined {
  const { payload, missing, outer } = inner;
  const tuple = tupleOf("udp", inner, [u16(payload, 0), u16(payload, 2)], context);
  const data = payload.subarray(UDP_HEADER_LENGTH);
  if (data.length === 0) return undefined;
  if (isIpv6Packet(data, missing) && outer.length < MOST_LAYERS)
    return decodeIpv6(data, missing, context, [...outer, tuple]);
  const { kind, octets: content, isWrapped } = contentOf(data);
  if (content.length === 0) return undefined;
  const octets = content.length + missing;
  const fingerprint = fingerprintOf(content, 0);
  return { tuple, tunnels: outer, kind, content, sequence: 0, octets, fingerprint, isWrapped };
}

function decodeTcp(inner: Inner, context: FrameContext): DecodedPacket | undefined {
  const { payload } = inner;
  if (payload.length < SHORTEST_TCP_HEADER) return undefined;
  const tuple = tupleOf("tcp", inner, [u16(payload, 0), u16(payload, 2)], context);
  const content = payload.subarray(((payload[12] ?? 0) >> 4) * 4);
  return content.length === 0 ? undefined : plainPacket(tuple, inner, content, u32(payload, 4));
}

function decodeEcho(inner: Inner, context: FrameContext): DecodedPacket | undefined {
  const { payload } = inner;
  if (!ECHO_TYPES.includes(payload[0] ?? 0xff)) return undefined;
  const identifier = u16(payload, 4);
  const tuple = tupleOf("icmp", inner, [identifier, identifier], context);
  const content = payload.subarray(ICMP_HEADER_LENGTH);
  return content.length === 0 ? undefined : plainPacket(tuple, inner, content, u16(payload, 6));
}

function plainPacket(
  tuple: FiveTuple,
  { outer, missing }: Inner,
  content: Uint8Array,
  sequence: number,
): DecodedPacket {
  const fingerprint = fingerprintOf(content, sequence);
  const octets = content.length + missing;
  return { tuple, tunnels: outer, kind: "data", content, sequence, octets, fingerprint, isWrapped: false };
}

function tupleOf(
  protocol: TracedProtocol,
  { source, destination }: Inner,
  [from, to]: readonly [number, number],
  { tuples }: FrameContext,
): FiveTuple {
  return tuples.tuple(protocol, [
    { address: source, port: from },
    { address: destination, port: to },
  ]);
}

/** Whether octets are one IPv6 packet to the last octet: nothing else is that by chance. */
function isIpv6Packet(octets: Uint8Array, missing: number): boolean {
  return (octets[0] ?? 0) >> 4 === 6 && IPV6_HEADER_LENGTH + u16(octets, 4) === octets.length + missing;
}
