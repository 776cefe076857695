/**
 * MESSAGE-INTEGRITY: HMAC-SHA1 over the message before the attribute, with a header length that ends right behind the
 * attribute, whatever follows (RFC 8489 section 14.5). Received padding is covered as it is.
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import { ATTRIBUTE_NUMBERS } from "./attributes.ts";
import type { StunFrame } from "./frame.ts";
import { HEADER_LENGTH, LENGTH_OFFSET } from "./header.ts";
import { TLV_HEADER_LENGTH } from "./tlv.ts";

/** Octets of the HMAC. */
export const INTEGRITY_LENGTH = 20;

/**
 * True when the message has a MESSAGE-INTEGRITY that is valid for the key (short-term: the password's octets). The
 * first occurrence counts.
 */
export function verifyIntegrity({ bytes, attributes }: StunFrame, key: Uint8Array): boolean {
  const found = attributes.find(({ number }) => number === ATTRIBUTE_NUMBERS["message-integrity"]);
  if (found?.value.length !== INTEGRITY_LENGTH) return false;
  return timingSafeEqual(found.value, integrityOf(bytes.subarray(0, found.offset), key));
}

/** The 20 octets to append to `prefix`, the message before the attribute. */
export function integrityOf(prefix: Uint8Array, key: Uint8Array): Uint8Array {
  // The constructor copies; `slice` of a Buffer would share memory and overwrite the received header.
  const header = new Uint8Array(prefix.subarray(0, HEADER_LENGTH));
  const lengthIncludingThis = prefix.length + TLV_HEADER_LENGTH + INTEGRITY_LENGTH - HEADER_LENGTH;
  new DataView(header.buffer).setUint16(LENGTH_OFFSET, lengthIncludingThis);
  const digest = createHmac("sha1", key).update(header).update(prefix.subarray(HEADER_LENGTH)).digest();
  return new Uint8Array(digest);
}
