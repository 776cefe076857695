/** The checks that come before bytes are treated as STUN: SPEC 1.6, after RFC 8489 section 6.3. */

import { verifyFingerprint } from "./fingerprint.ts";
import { BINDING } from "./header.ts";
import { decodeStun, findAttribute, type StunMessage } from "./message.ts";

/** What a receiver expects of STUN on its port. */
export interface ReceivePolicy {
  /** Refuses messages without FINGERPRINT: needed where other protocols share the port. A wrong one is always refused. */
  readonly requireFingerprint: boolean;
  /** Whether a request with this transaction ID is waiting for its response; without it, no response is taken. */
  readonly isAwaited?: (transactionId: Uint8Array) => boolean;
}

/** What bytes turned out to be, before authentication. `reason` is a code of `decodeStun` or one of those named here. */
export type ReceivedStun =
  | { readonly kind: "request" | "indication" | "response"; readonly message: StunMessage }
  | { readonly kind: "drop"; readonly reason: string };

/**
 * Sorts a datagram. Reasons to drop, in this order: the errors of `decodeStun`, `unknown-method` (all but Binding),
 * `unawaited-response`, `no-fingerprint`, `wrong-fingerprint`.
 */
export function classifyStun(bytes: Uint8Array, policy: ReceivePolicy): ReceivedStun {
  const result = decodeStun(bytes);
  if (!result.ok) return drop(result.error.code);
  const message = result.value;
  if (message.method !== BINDING) return drop("unknown-method");
  const kind = message.class === "success" || message.class === "error" ? "response" : message.class;
  if (kind === "response" && policy.isAwaited?.(message.transactionId) !== true) return drop("unawaited-response");
  const hasFingerprint = findAttribute(message, "fingerprint") !== undefined;
  if (!hasFingerprint && policy.requireFingerprint) return drop("no-fingerprint");
  if (hasFingerprint && !verifyFingerprint(bytes)) return drop("wrong-fingerprint");
  return { kind, message };
}

function drop(reason: string): ReceivedStun {
  return { kind: "drop", reason };
}
