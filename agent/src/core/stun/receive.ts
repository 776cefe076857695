/** The checks before octets are treated as STUN: SPEC 1.6, after RFC 8489 section 6.3. */

import type { SocketAddress } from "../address.ts";
import { ATTRIBUTE_NUMBERS } from "./attributes.ts";
import { verifyFingerprint } from "./fingerprint.ts";
import { frameStun, type StunFrame } from "./frame.ts";
import { BINDING } from "./header.ts";
import { decodeMessage, type StunMessage } from "./message.ts";

/**
 * A decoded Binding message whose FINGERPRINT, if any, is valid, and the frame that MESSAGE-INTEGRITY is checked on.
 */
export interface ReceivedStun {
  readonly message: StunMessage;
  readonly frame: StunFrame;
}

/** A received message: `local` is the socket it arrived at, `remote` its source. */
export interface StunDatagram extends ReceivedStun {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

/** Result for received octets, before authentication. `not-stun` may belong to another protocol. */
export type StunReception =
  | ({ readonly kind: "stun" } & ReceivedStun)
  | { readonly kind: "not-stun"; readonly reason: string }
  | { readonly kind: "malformed"; readonly reason: string };

/** Whether messages without FINGERPRINT are refused, as on a port shared with other protocols. */
export interface ReceivePolicy {
  readonly requireFingerprint: boolean;
}

/**
 * Decodes a datagram as STUN: one split, one CRC, one decoding of the attributes. Reasons of `not-stun`, in this order:
 * the errors of `frameStun`, `no-fingerprint`, `wrong-fingerprint` (refused even where none is required). Reasons of
 * `malformed`: the errors of `decodeMessage`, `unknown-method` (all but Binding).
 */
export function receiveStun(bytes: Uint8Array, { requireFingerprint }: ReceivePolicy): StunReception {
  const split = frameStun(bytes);
  if (!split.ok) return { kind: "not-stun", reason: split.error.code };
  const frame = split.value;
  const hasFingerprint = frame.attributes.at(-1)?.number === ATTRIBUTE_NUMBERS.fingerprint;
  if (!hasFingerprint && requireFingerprint) return { kind: "not-stun", reason: "no-fingerprint" };
  if (hasFingerprint && !verifyFingerprint(frame)) return { kind: "not-stun", reason: "wrong-fingerprint" };
  const message = decodeMessage(frame);
  if (!message.ok) return { kind: "malformed", reason: message.error.code };
  if (message.value.method !== BINDING) return { kind: "malformed", reason: "unknown-method" };
  return { kind: "stun", message: message.value, frame };
}
