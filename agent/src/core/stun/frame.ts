/**
 * A STUN message split once: its header and where each attribute stands. FINGERPRINT, MESSAGE-INTEGRITY and the
 * attributes' values are all read from this, so that nothing walks the octets a second time.
 */

import { type Decoded, decoded } from "../result.ts";
import { decodeHeader, type StunHeader } from "./header.ts";
import { type RawAttribute, splitAttributes } from "./tlv.ts";

export interface StunFrame {
  /** The whole message. */
  readonly bytes: Uint8Array;
  readonly header: StunHeader;
  /** In the order of the message, repeated ones included. */
  readonly attributes: readonly RawAttribute[];
}

/** Splits a datagram that holds one message and nothing else. Errors: those of `decodeHeader`, `truncated-attribute`. */
export function frameStun(bytes: Uint8Array): Decoded<StunFrame> {
  const header = decodeHeader(bytes);
  if (!header.ok) return header;
  const attributes = splitAttributes(bytes);
  return attributes.ok ? decoded({ bytes, header: header.value, attributes: attributes.value }) : attributes;
}
