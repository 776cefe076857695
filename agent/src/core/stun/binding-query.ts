/** The question for a mapped address, without credentials, and its answer (SPEC 1.8; RFC 8489 section 2). */

import type { SocketAddress } from "../address.ts";
import type { StunAttributeType } from "./attributes.ts";
import { notUnderstood } from "./comprehension.ts";
import { BINDING } from "./header.ts";
import { encodeStun, findAttribute, type StunMessage } from "./message.ts";

const UNDERSTOOD: ReadonlySet<StunAttributeType> = new Set<StunAttributeType>([
  "xor-mapped-address",
  "mapped-address",
  "error-code",
  "unknown-attributes",
]);

/** A Binding request with FINGERPRINT alone. */
export function encodeBindingQuery(transactionId: Uint8Array): Uint8Array {
  return encodeStun({ class: "request", method: BINDING, transactionId, attributes: [] }, { fingerprint: true });
}

/** The mapped address in an answer, the reason why there is none, or undefined when this is not an answer. */
export function judgeBindingAnswer(message: StunMessage): SocketAddress | string | undefined {
  if (message.class === "error") return `answered ${findAttribute(message, "error-code")?.code ?? "with an error"}`;
  if (message.class !== "success") return undefined;
  if (notUnderstood(message, UNDERSTOOD).length > 0) return "answered with an unknown required attribute";
  return findAttribute(message, "xor-mapped-address") ?? "answered without a mapped address";
}
