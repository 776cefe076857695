/** The ICMP errors for a packet that is larger than what it is to be carried by, made from its octets. Pure. */

import { ByteWriter } from "../bytes.ts";
import { internetChecksum } from "../checksum.ts";

const DEFAULT_HOPS = 64;
const CHECKSUM_AT = 2;

/** RFC 791: protocol 1 is ICMP; offsets of header checksum and addresses. */
const IPV4 = { length: 20, checksum: 10, source: 12, destination: 16, icmp: 1 } as const;
/** RFC 8200: next header 58 is ICMPv6. */
const IPV6 = { length: 40, source: 8, destination: 24, icmp: 58 } as const;

/** Octets of an ICMP error as a packet: RFC 1812 section 4.3.2.3, RFC 4443 section 2.4 (c). */
const MOST_ERROR_OCTETS = { ipv4: 576, ipv6: 1280 } as const;
const ICMP_HEADER = 8;

/**
 * Destination Unreachable, fragmentation needed and DF set (RFC 792), with the MTU (RFC 1191 section 4), to the source
 * of an IPv4 packet. It comes from the packet's destination, as if from its far end.
 */
export function fragmentationNeeded(packet: Uint8Array, mtuOctets: number): Uint8Array {
  const quoted = packet.subarray(0, MOST_ERROR_OCTETS.ipv4 - IPV4.length - ICMP_HEADER);
  const message = new ByteWriter().u8(3).u8(4).u16(0).u16(0).u16(mtuOctets).bytes(quoted);
  message.patchU16(CHECKSUM_AT, internetChecksum(message.finish()));
  const header = new ByteWriter()
    .u8(0x45)
    .u8(0)
    .u16(IPV4.length + message.length)
    .u32(0)
    .u8(DEFAULT_HOPS)
    .u8(IPV4.icmp)
    .u16(0)
    .bytes(packet.subarray(IPV4.destination, IPV4.length))
    .bytes(packet.subarray(IPV4.source, IPV4.destination));
  header.patchU16(IPV4.checksum, internetChecksum(header.finish()));
  return header.bytes(message.finish()).finish();
}

/**
 * Packet Too Big (RFC 4443 section 3.2) to the source of an IPv6 packet. It comes from the packet's destination, as if
 * from its far end.
 */
export function packetTooBig(packet: Uint8Array, mtuOctets: number): Uint8Array {
  const quoted = packet.subarray(0, MOST_ERROR_OCTETS.ipv6 - IPV6.length - ICMP_HEADER);
  const message = new ByteWriter().u8(2).u8(0).u16(0).u32(mtuOctets).bytes(quoted);
  const ends = new ByteWriter()
    .bytes(packet.subarray(IPV6.destination, IPV6.length))
    .bytes(packet.subarray(IPV6.source, IPV6.destination))
    .finish();
  const pseudoHeader = new ByteWriter().bytes(ends).u32(message.length).zeros(3).u8(IPV6.icmp).finish();
  message.patchU16(CHECKSUM_AT, internetChecksum(pseudoHeader, message.finish()));
  return new ByteWriter()
    .u32(0x6000_0000)
    .u16(message.length)
    .u8(IPV6.icmp)
    .u8(DEFAULT_HOPS)
    .bytes(ends)
    .bytes(message.finish())
    .finish();
}
