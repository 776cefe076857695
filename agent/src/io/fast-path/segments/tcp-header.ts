/** Fields of TCP in an IPv6 packet without extension headers (RFC 9293 section 3.1, RFC 8200 section 3). */

import { foldCarries, sumWords } from "../../../core/checksum.ts";

export const IPV6_HEADER_LENGTH = 40;
export const PAYLOAD_LENGTH_AT = 4;
const NEXT_HEADER_AT = 6;
const PROTOCOL_TCP = 6;

export const SEQUENCE_AT = 44;
const DATA_OFFSET_AT = 52;
export const FLAGS_AT = 53;
export const CHECKSUM_AT = 56;
const MIN_TCP_HEADER_LENGTH = 20;

export const FLAG = { fin: 0x01, push: 0x08, acknowledgement: 0x10, reduced: 0x80 } as const;

/** Offset of the addresses of the pseudo-header. */
const ADDRESSES_AT = 8;

/** Octets of IPv6 and TCP header together; undefined where the packet is too short or has another protocol. */
export function headerLength(packet: Uint8Array): number | undefined {
  if (packet.length < IPV6_HEADER_LENGTH + MIN_TCP_HEADER_LENGTH) return undefined;
  if ((packet[0] ?? 0) >> 4 !== 6 || packet[NEXT_HEADER_AT] !== PROTOCOL_TCP) return undefined;
  const length = IPV6_HEADER_LENGTH + ((packet[DATA_OFFSET_AT] ?? 0) >> 4) * 4;
  const isWhole = length >= IPV6_HEADER_LENGTH + MIN_TCP_HEADER_LENGTH && length <= packet.length;
  return isWhole ? length : undefined;
}

/** Sum of the pseudo-header's words for TCP of this length (RFC 8200 section 8.1), carries not folded. */
export function sumPseudoHeader(packet: Uint8Array, tcpLength: number): number {
  return sumWords(packet, ADDRESSES_AT, IPV6_HEADER_LENGTH) + tcpLength + PROTOCOL_TCP;
}

/** True when the TCP checksum of a whole packet is valid. */
export function hasRightChecksum(packet: Uint8Array): boolean {
  const tcp = sumWords(packet, IPV6_HEADER_LENGTH, packet.length);
  return foldCarries(sumPseudoHeader(packet, packet.length - IPV6_HEADER_LENGTH) + tcp) === 0xffff;
}
