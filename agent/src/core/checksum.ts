/** The Internet checksum of RFC 1071 and the IPv6 pseudo-header that it covers. */

import { addressToBytes } from "./address.ts";
import { ByteWriter } from "./bytes.ts";

/**
 * The checksum for a message: the one's complement of the one's complement sum of all 16-bit words of the parts laid
 * end to end. An odd last octet counts as the high half of a word (RFC 1071 section 1). The checksum field has to be
 * zero in the parts. The result is 0..0xFFFF; sending 0xFFFF for 0, as UDP does, is left to the caller (RFC 8200
 * section 8.1).
 */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  return onesComplementSum(parts) ^ 0xffff;
}

/** True when the parts, checksum field included, sum to 0xFFFF. */
export function hasValidChecksum(...parts: readonly Uint8Array[]): boolean {
  return onesComplementSum(parts) === 0xffff;
}

/**
 * The 40 octets of the IPv6 pseudo-header (RFC 8200 section 8.1): source 16, destination 16, upper-layer length 4,
 * zero 3, next header 1. Addresses are RFC 5952 text.
 */
export function ipv6PseudoHeader(fields: {
  readonly source: string;
  readonly destination: string;
  /** Octets of the upper-layer header and its data. */
  readonly length: number;
  readonly nextHeader: number;
}): Uint8Array {
  return new ByteWriter()
    .bytes(addressToBytes(fields.source))
    .bytes(addressToBytes(fields.destination))
    .u32(fields.length)
    .zeros(3)
    .u8(fields.nextHeader)
    .finish();
}

/**
 * Exact sum of the 16-bit words of `octets` from `start` to `end`, for any length. An odd last octet counts as the high
 * half of a word.
 */
export function sumWords(octets: Uint8Array, start = 0, end = octets.length): number {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  let high = 0;
  let low = 0;
  let at = start;
  // Two words a step: half the reads.
  for (; at + 4 <= end; at += 4) {
    const words = view.getUint32(at);
    high += words >>> 16;
    low += words & 0xffff;
  }
  for (; at + 2 <= end; at += 2) high += view.getUint16(at);
  return high + low + (at < end ? view.getUint8(at) << 8 : 0);
}

/** Folds a sum of words to the one's complement sum of 16 bits. */
export function foldCarries(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return folded;
}

function onesComplementSum(parts: readonly Uint8Array[]): number {
  let sum = 0;
  let isEven = true;
  for (const part of parts) {
    const ofPart = foldCarries(sumWords(part));
    // After an odd number of octets the octets of every word are swapped (RFC 1071 section 2 (B)).
    sum = foldCarries(sum + (isEven ? ofPart : ((ofPart & 0xff) << 8) | (ofPart >> 8)));
    isEven = isEven === (part.length % 2 === 0);
  }
  return sum;
}
