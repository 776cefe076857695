/**
 * The STUN header (RFC 8489 section 5):
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |0 0| M11..M7 |C1|M6..M4|C0|M3..M0|        Message Length         |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                     Magic Cookie 0x2112A442                     |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                  Transaction ID (12 octets)                     |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */

import { ByteReader, type ByteWriter } from "../bytes.ts";
import { type Decoded, decoded, malformed } from "../result.ts";

/** Octets of the header; Message Length counts what follows them. */
export const HEADER_LENGTH = 20;
/** Offset of Message Length. */
export const LENGTH_OFFSET = 2;
/** Offset of the magic cookie. */
export const COOKIE_OFFSET = 4;
export const MAGIC_COOKIE = 0x2112a442;
export const TRANSACTION_ID_LENGTH = 12;

/** The only method of this package. */
export const BINDING = 0x001;

const CLASSES = ["request", "indication", "success", "error"] as const;

/** Class of a message. */
export type StunClass = (typeof CLASSES)[number];

/** The header without the length, which follows from the message. */
export interface StunHeader {
  readonly class: StunClass;
  /** 0..0xFFF. */
  readonly method: number;
  /** Twelve octets, random, the same in a request, its retransmissions and its response. */
  readonly transactionId: Uint8Array;
}

/**
 * Reads the header of a datagram that holds exactly one message. Errors: `truncated`, `not-stun` (first two bits or
 * cookie), `bad-length` (not a multiple of four, or not the length of the datagram).
 */
export function decodeHeader(bytes: Uint8Array): Decoded<StunHeader> {
  const reader = new ByteReader(bytes);
  const type = reader.u16();
  const length = reader.u16();
  const cookie = reader.u32();
  const transactionId = reader.bytes(TRANSACTION_ID_LENGTH);
  if (reader.overrun) return malformed("truncated", bytes.length);
  if ((type & 0xc000) !== 0) return malformed("not-stun", 0);
  if (cookie !== MAGIC_COOKIE) return malformed("not-stun", COOKIE_OFFSET);
  if (length % 4 !== 0 || length !== reader.remaining) return malformed("bad-length", LENGTH_OFFSET);
  return decoded({ ...splitType(type), transactionId });
}

/** Writes the header with length 0, to be patched at `LENGTH_OFFSET`. Throws RangeError when a field does not fit. */
export function writeHeader(writer: ByteWriter, header: StunHeader): void {
  if (header.transactionId.length !== TRANSACTION_ID_LENGTH)
    throw new RangeError(`a transaction ID has 12 octets, not ${header.transactionId.length}`);
  writer.u16(joinType(header)).u16(0).u32(MAGIC_COOKIE).bytes(header.transactionId);
}

/** The transaction ID as 24 hexadecimal digits, a map key. */
export function transactionKey(transactionId: Uint8Array): string {
  return Array.from(transactionId, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

function splitType(type: number): Pick<StunHeader, "class" | "method"> {
  const method = ((type & 0x3e00) >> 2) | ((type & 0x00e0) >> 1) | (type & 0x000f);
  // Two bits index four classes: the fallback is unreachable.
  const messageClass = CLASSES[((type & 0x0100) >> 7) | ((type & 0x0010) >> 4)] ?? "request";
  return { class: messageClass, method };
}

function joinType({ class: messageClass, method }: StunHeader): number {
  if (!Number.isInteger(method) || method < 0 || method > 0xfff)
    throw new RangeError(`a STUN method has 12 bits: ${method}`);
  const bits = CLASSES.indexOf(messageClass);
  return ((method & 0xf80) << 2) | ((method & 0x070) << 1) | (method & 0x00f) | ((bits & 2) << 7) | ((bits & 1) << 4);
}
