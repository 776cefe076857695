/** Responses to a Binding request. All carry FINGERPRINT; those with a key also MESSAGE-INTEGRITY (SPEC 1.4). */

import type { SocketAddress } from "../address.ts";
import type { StunAttribute } from "./attributes.ts";
import { encodeStun, type StunMessage } from "./message.ts";

/** Reason phrases of RFC 8489 section 14.8 and RFC 8445 section 16.1. */
export const REASONS = {
  400: "Bad Request",
  401: "Unauthorized",
  420: "Unknown Attribute",
  487: "Role Conflict",
  500: "Server Error",
} as const;

/** Error codes that this package sends. */
export type ReplyErrorCode = keyof typeof REASONS;

/** Content of an error response; `notUnderstood` are the attribute numbers of a 420. */
export interface ReplyError {
  readonly code: ReplyErrorCode;
  readonly notUnderstood?: readonly number[];
}

/** The success response to a connectivity check: XOR-MAPPED-ADDRESS with the source of the request. */
export function encodeCheckSuccess(request: StunMessage, mapped: SocketAddress, key: Uint8Array): Uint8Array {
  return encodeReply(request, "success", [{ type: "xor-mapped-address", value: mapped }], key);
}

/** An error response. */
export function encodeErrorReply(request: StunMessage, error: ReplyError, key?: Uint8Array): Uint8Array {
  const attributes: StunAttribute[] = [
    { type: "error-code", value: { code: error.code, reason: REASONS[error.code] } },
  ];
  if (error.notUnderstood !== undefined) attributes.push({ type: "unknown-attributes", value: error.notUnderstood });
  return encodeReply(request, "error", attributes, key);
}

/** A response of the same method and transaction as the request. */
export function encodeReply(
  request: StunMessage,
  outcome: "success" | "error",
  attributes: readonly StunAttribute[],
  key?: Uint8Array,
): Uint8Array {
  const { method, transactionId } = request;
  return encodeStun({ class: outcome, method, transactionId, attributes }, { key, fingerprint: true });
}
