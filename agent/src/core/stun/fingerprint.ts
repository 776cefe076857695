/**
 * FINGERPRINT: CRC-32 of the message up to the attribute XOR 0x5354554E, the header's length already counting the
 * attribute, which is the last one (RFC 8489 section 14.7). It tells STUN from what else shares the port.
 */

import { crc32 } from "node:zlib";
import { ByteReader } from "../bytes.ts";
import { ATTRIBUTE_NUMBERS } from "./attributes.ts";
import type { StunFrame } from "./frame.ts";

/** Octets of the value. */
const FINGERPRINT_LENGTH = 4;
/** "STUN" in ASCII: keeps the value apart from a CRC-32 that another protocol on the port may carry. */
const FINGERPRINT_XOR = 0x5354554e;

/** True when the last attribute is a FINGERPRINT that fits. */
export function verifyFingerprint({ bytes, attributes }: StunFrame): boolean {
  const last = attributes.at(-1);
  if (last?.number !== ATTRIBUTE_NUMBERS.fingerprint || last.value.length !== FINGERPRINT_LENGTH) return false;
  return new ByteReader(last.value).u32() === fingerprintOf(bytes.subarray(0, last.offset));
}

/** The value that belongs behind `prefix`, the message up to where the attribute begins, its length already final. */
export function fingerprintOf(prefix: Uint8Array): number {
  return (crc32(prefix) ^ FINGERPRINT_XOR) >>> 0;
}
