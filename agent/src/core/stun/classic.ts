/**
 * Clients of RFC 3489, "classic STUN", as a server meets them (RFC 5389 section 12.2). Their transaction ID has 128
 * bits, so that anything stands where the magic cookie is; they know neither XOR-MAPPED-ADDRESS nor FINGERPRINT.
 *
 * Without cookie and FINGERPRINT little tells STUN from other protocols: only for ports that nothing else uses.
 */

import type { SocketAddress } from "../address.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";
import type { StunAttribute } from "./attributes.ts";
import { BINDING, COOKIE_OFFSET, HEADER_LENGTH, MAGIC_COOKIE } from "./header.ts";
import { decodeStun, encodeStun, findAttribute, type StunMessage } from "./message.ts";
import { REASONS, type ReplyError } from "./reply.ts";

/** A Binding request of an RFC 3489 client. */
export interface ClassicRequest {
  readonly message: StunMessage;
  /** What it has in place of the magic cookie: the first four octets of its transaction ID. */
  readonly cookie: number;
}

/**
 * Decodes a Binding request without the magic cookie. Undefined for anything else, also for one with FINGERPRINT, which
 * came with the cookie.
 */
export function decodeClassicRequest(bytes: Uint8Array): ClassicRequest | undefined {
  if (bytes.length < HEADER_LENGTH) return undefined;
  const cookie = new ByteReader(bytes, COOKIE_OFFSET).u32();
  const result = decodeStun(withCookie(bytes, MAGIC_COOKIE));
  if (!result.ok || cookie === MAGIC_COOKIE) return undefined;
  const message = result.value;
  const isBindingRequest = message.class === "request" && message.method === BINDING;
  return isBindingRequest && findAttribute(message, "fingerprint") === undefined ? { message, cookie } : undefined;
}

/** The success response: MAPPED-ADDRESS alone, with the source of the request. */
export function encodeClassicSuccess(request: ClassicRequest, mapped: SocketAddress): Uint8Array {
  return encodeClassicReply(request, "success", [{ type: "mapped-address", value: mapped }]);
}

/**
 * An error response. Values of RFC 3489 fill whole words (section 11.2.9 and 11.2.10): the reason ends in blanks, and
 * the last of an odd number of unknown attributes is repeated.
 */
export function encodeClassicError(request: ClassicRequest, { code, notUnderstood }: ReplyError): Uint8Array {
  const reason = REASONS[code];
  const attributes: StunAttribute[] = [
    { type: "error-code", value: { code, reason: reason.padEnd(Math.ceil(reason.length / 4) * 4) } },
  ];
  if (notUnderstood !== undefined)
    attributes.push({
      type: "unknown-attributes",
      value: notUnderstood.length % 2 === 0 ? notUnderstood : [...notUnderstood, ...notUnderstood.slice(-1)],
    });
  return encodeClassicReply(request, "error", attributes);
}

function encodeClassicReply(
  { message: { method, transactionId }, cookie }: ClassicRequest,
  outcome: "success" | "error",
  attributes: readonly StunAttribute[],
): Uint8Array {
  return withCookie(encodeStun({ class: outcome, method, transactionId, attributes }, { fingerprint: false }), cookie);
}

/** A copy with these octets in place of the cookie. */
function withCookie(bytes: Uint8Array, cookie: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy.set(new ByteWriter().u32(cookie).finish(), COOKIE_OFFSET);
  return copy;
}
