/**
 * A STUN message split into header and attributes. FINGERPRINT, MESSAGE-INTEGRITY and the values are all read from
 * this, so that the octets are walked only once.
 */

import { type Decoded, decoded } from "../result.ts";
import { decodeHeader, type StunHeader } from "./header.ts";
import { type RawAttribute, splitAttributes } from "./tlv.ts";

export interface StunFrame {
  /** The whole message. */
  readonly bytes: Uint8Array;
  readonly header: StunHeader;
  /** In message order, repeated ones included. */
  readonly attributes: readonly RawAttribute[];
}

/** Splits a datagram that holds exactly one message. Errors: those of `decodeHeader`, `truncated-attribute`. */
export function frameStun(bytes: Uint8Array): Decoded<StunFrame> {
  const header = decodeHeader(bytes);
  if (!header.ok) return header;
  const attributes = splitAttributes(bytes);
  return attributes.ok ? decoded({ bytes, header: header.value, attributes: attributes.value }) : attributes;
}
