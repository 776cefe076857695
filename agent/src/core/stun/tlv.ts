/** Type-length-value framing of STUN attributes: type 16 bits, length 16 bits, value padded to four octets. */

import { ByteReader, type ByteWriter } from "../bytes.ts";
import { type Decoded, decoded, malformed } from "../result.ts";
import { HEADER_LENGTH } from "./header.ts";

/** Octets before an attribute's value. */
export const TLV_HEADER_LENGTH = 4;

/** An attribute before its value is decoded. */
export interface RawAttribute {
  readonly number: number;
  /** Offset of its type field in the message. */
  readonly offset: number;
  /** A view into the message, without padding. */
  readonly value: Uint8Array;
}

/** Splits the octets after the header into attributes; padding may have any value. Error: `truncated-attribute`. */
export function splitAttributes(bytes: Uint8Array): Decoded<readonly RawAttribute[]> {
  const reader = new ByteReader(bytes, HEADER_LENGTH);
  const attributes: RawAttribute[] = [];
  while (reader.remaining > 0) {
    const offset = reader.offset;
    const number = reader.u16();
    const length = reader.u16();
    const value = reader.bytes(length);
    reader.skip(paddingAfter(length));
    if (reader.overrun) return malformed("truncated-attribute", offset);
    attributes.push({ number, offset, value });
  }
  return decoded(attributes);
}

/** Appends one attribute, padded with zeros (RFC 8489 section 14). */
export function writeTlv(writer: ByteWriter, number: number, value: Uint8Array): void {
  writer.u16(number).u16(value.length).bytes(value).zeros(paddingAfter(value.length));
}

function paddingAfter(length: number): number {
  return (4 - (length % 4)) % 4;
}
