/** Echo requests and replies of ICMP (RFC 792) and ICMPv6 (RFC 4443), as raw sockets send and receive them. */

import type { Family } from "../../core/address.ts";
import { internetChecksum } from "../../core/checksum.ts";

/** Protocol numbers, and the types of request and reply. */
export const ICMP = {
  4: { protocol: 1, request: 8, reply: 0 },
  6: { protocol: 58, request: 128, reply: 129 },
} as const;

const HEADER_LENGTH = 8;
const CHECKSUM_OFFSET = 2;
const IDENTIFIER_OFFSET = 4;
const SEQUENCE_OFFSET = 6;

/** The same as ping: 64 octets of ICMP. */
const MESSAGE_LENGTH = 64;

/** A request; `identifier` and `sequence` are 16 bits each. The kernel fills in the checksum of ICMPv6. */
export function encodeEchoRequest(family: Family, identifier: number, sequence: number): Uint8Array {
  const message = Buffer.alloc(MESSAGE_LENGTH);
  message.writeUInt8(ICMP[family].request, 0);
  message.writeUInt16BE(identifier, IDENTIFIER_OFFSET);
  message.writeUInt16BE(sequence, SEQUENCE_OFFSET);
  if (family === 4) message.writeUInt16BE(internetChecksum(message), CHECKSUM_OFFSET);
  return message;
}

/**
 * Sequence number of a reply to this identifier; undefined for any other packet. Raw sockets deliver IPv4 packets with
 * their IP header (raw(7)), IPv6 packets without (RFC 3542 section 3).
 */
export function readEchoReply(family: Family, packet: Uint8Array, identifier: number): number | undefined {
  const headerLength = family === 4 ? ((packet[0] ?? 0) & 0x0f) * 4 : 0;
  if (packet.length < headerLength + HEADER_LENGTH) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset + headerLength, HEADER_LENGTH);
  if (view.getUint8(0) !== ICMP[family].reply || view.getUint16(IDENTIFIER_OFFSET) !== identifier) return undefined;
  return view.getUint16(SEQUENCE_OFFSET);
}
