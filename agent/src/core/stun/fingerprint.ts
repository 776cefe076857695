/**
 * FINGERPRINT: CRC-32 of the message before the attribute, XOR 0x5354554E. The header's length already includes the
 * attribute, which is the last one (RFC 8489 section 14.7). It distinguishes STUN from other protocols on the port.
 */

import { crc32 } from "node:zlib";
import { ByteReader } from "../bytes.ts";
import { ATTRIBUTE_NUMBERS } from "./attributes.ts";
import type { StunFrame } from "./frame.ts";

/** Octets of the value. */
const FINGERPRINT_LENGTH = 4;
/** "STUN" in ASCII: makes the value differ from a CRC-32 that another protocol on the port may carry. */
const FINGERPRINT_XOR = 0x5354554e;

/** True when the last attribute is a valid FINGERPRINT. */
export function verifyFingerprint({ bytes, attributes }: StunFrame): boolean {
  const last = attributes.at(-1);
  if (last?.number !== ATTRIBUTE_NUMBERS.fingerprint || last.value.length !== FINGERPRINT_LENGTH) return false;
  return new ByteReader(last.value).u32() === fingerprintOf(bytes.subarray(0, last.offset));
}

/** The value to append to `prefix`, the message before the attribute with its final length. */
export function fingerprintOf(prefix: Uint8Array): number {
  return (crc32(prefix) ^ FINGERPRINT_XOR) >>> 0;
}
