/**
 * The short-term credential mechanism of a receiver, in the order of SPEC 1.4 (RFC 8489 section 9.1.3 and 9.1.4). A
 * wrong MESSAGE-INTEGRITY is answered 401, as in RFC 5389, not 431.
 */

import type { StunAttributeType } from "./attributes.ts";
import { notUnderstood } from "./comprehension.ts";
import { verifyIntegrity } from "./integrity.ts";
import { findAttribute, type StunMessage } from "./message.ts";
import type { ReceivedStun } from "./receive.ts";
import { encodeErrorReply } from "./reply.ts";

/** Result for a request or an indication. A rejected request is answered with the octets in `reply`. */
export type RequestVerdict =
  | { readonly verdict: "accept"; readonly username: string; readonly key: Uint8Array }
  | { readonly verdict: "reject"; readonly code: 400 | 401 | 420; readonly reply: Uint8Array }
  | { readonly verdict: "drop"; readonly reason: string };

/** Result for a response: `ignore` treats it as not received, `fail` ends the transaction. */
export type ResponseVerdict =
  | { readonly verdict: "accept" }
  | { readonly verdict: "ignore"; readonly reason: "no-integrity" | "wrong-integrity" }
  | { readonly verdict: "fail"; readonly reason: "unknown-attribute"; readonly notUnderstood: readonly number[] };

/** Comprehension-required attributes that the request of a connectivity check may carry. */
const UNDERSTOOD_IN_REQUESTS: ReadonlySet<StunAttributeType> = new Set<StunAttributeType>([
  "username",
  "message-integrity",
  "priority",
  "use-candidate",
]);

/** Comprehension-required attributes that its response may carry. */
const UNDERSTOOD_IN_RESPONSES: ReadonlySet<StunAttributeType> = new Set<StunAttributeType>([
  "mapped-address",
  "xor-mapped-address",
  "message-integrity",
  "error-code",
  "unknown-attributes",
]);

/**
 * Checks a connectivity check, or an indication that claims to be authenticated. `keyOf` returns the key (the
 * password's octets) of a username, undefined for an unknown one.
 *
 * Missing credentials: 400. Unknown username or wrong integrity: 401. Both without MESSAGE-INTEGRITY. An unknown
 * comprehension-required attribute of an authenticated request: 420 with MESSAGE-INTEGRITY. An indication is dropped
 * instead.
 */
export function authenticateRequest(
  { message, frame }: ReceivedStun,
  keyOf: (username: string) => Uint8Array | undefined,
): RequestVerdict {
  const username = findAttribute(message, "username");
  if (username === undefined || findAttribute(message, "message-integrity") === undefined) return refuse(message, 400);
  const key = keyOf(username);
  if (key === undefined || !verifyIntegrity(frame, key)) return refuse(message, 401);
  const unknown = notUnderstood(message, UNDERSTOOD_IN_REQUESTS);
  if (unknown.length > 0) return refuse(message, 420, { unknown, key });
  return { verdict: "accept", username, key };
}

/** Checks the response to a request that was sent with `key`. */
export function authenticateResponse({ message, frame }: ReceivedStun, key: Uint8Array): ResponseVerdict {
  if (findAttribute(message, "message-integrity") === undefined) return { verdict: "ignore", reason: "no-integrity" };
  if (!verifyIntegrity(frame, key)) return { verdict: "ignore", reason: "wrong-integrity" };
  const unknown = notUnderstood(message, UNDERSTOOD_IN_RESPONSES);
  if (unknown.length > 0) return { verdict: "fail", reason: "unknown-attribute", notUnderstood: unknown };
  return { verdict: "accept" };
}

function refuse(
  message: StunMessage,
  code: 400 | 401 | 420,
  authenticated?: { readonly unknown: readonly number[]; readonly key: Uint8Array },
): RequestVerdict {
  if (message.class !== "request") return { verdict: "drop", reason: `${message.class}-refused-${code}` };
  const reply =
    authenticated === undefined
      ? encodeErrorReply(message, { code })
      : encodeErrorReply(message, { code, notUnderstood: authenticated.unknown }, authenticated.key);
  return { verdict: "reject", code, reply };
}
