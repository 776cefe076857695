/** Validates a received check, or the response to a check, before it has any effect (SPEC 1.4, 2.7 and 2.8). */

import { formatSocketAddress, type SocketAddress, sameSocketAddress } from "../address.ts";
import { findAttribute, type StunMessage } from "../stun/message.ts";
import type { ReceivedStun, StunDatagram } from "../stun/receive.ts";
import { encodeErrorReply } from "../stun/reply.ts";
import { authenticateRequest, authenticateResponse } from "../stun/short-term.ts";
import { type CheckContent, readCheck } from "./check-message.ts";

/** A check to act on, or the refusal to send; `isAuthenticated` is whether the refused check came from the peer. */
export type CheckVerdict =
  | { readonly type: "accepted"; readonly content: CheckContent }
  | { readonly type: "refused"; readonly code: number; readonly reply: Uint8Array; readonly isAuthenticated: boolean };

/** Result of a response. An unauthenticated one is ignored, and the check goes on. */
export type AnswerVerdict =
  | { readonly type: "success"; readonly mapped: SocketAddress }
  | { readonly type: "role-conflict" }
  | { readonly type: "failure"; readonly reason: string }
  | { readonly type: "unauthenticated" };

/**
 * Validates a Binding request for the agent with this ufrag and key (the password's octets). Only the left part of
 * USERNAME has to match: a check may arrive before the peer's ufrag is known.
 */
export function judgeCheck(received: ReceivedStun, ufrag: string, key: Uint8Array): CheckVerdict {
  const keyOf = (username: string): Uint8Array | undefined => (username.split(":")[0] === ufrag ? key : undefined);
  const verdict = authenticateRequest(received, keyOf);
  switch (verdict.verdict) {
    case "reject":
      return { type: "refused", code: verdict.code, reply: verdict.reply, isAuthenticated: verdict.code === 420 };
    case "drop":
      throw new Error("only indications are dropped without an answer");
    case "accept": {
      const content = readCheck(received.message);
      if (content !== undefined) return { type: "accepted", content };
      return {
        type: "refused",
        code: 400,
        reply: encodeErrorReply(received.message, { code: 400 }, key),
        isAuthenticated: true,
      };
    }
  }
}

/** Validates the response to a check from `base` to `remote`; `key` is the peer's password in octets. */
export function judgeAnswer(
  { base, remote }: { readonly base: SocketAddress; readonly remote: SocketAddress },
  answer: StunDatagram,
  key: Uint8Array,
): AnswerVerdict {
  const verdict = authenticateResponse(answer, key);
  if (verdict.verdict === "ignore") return { type: "unauthenticated" };
  // The symmetry rule: a response has to take the path of its request (RFC 8445 section 7.2.5.2.1).
  if (!sameSocketAddress(answer.remote, remote)) return failure(`answered from ${formatSocketAddress(answer.remote)}`);
  if (!sameSocketAddress(answer.local, base)) return failure(`answered to ${formatSocketAddress(answer.local)}`);
  if (verdict.verdict === "fail") return failure("answered with an unknown required attribute");
  const { message } = answer;
  return message.class === "error" ? judgeError(message) : judgeSuccess(message);
}

function judgeError(message: StunMessage): AnswerVerdict {
  const error = findAttribute(message, "error-code");
  if (error?.code === 487) return { type: "role-conflict" };
  return failure(error === undefined ? "answered with an error without a code" : `answered ${error.code}`);
}

function judgeSuccess(message: StunMessage): AnswerVerdict {
  const mapped = findAttribute(message, "xor-mapped-address");
  return mapped === undefined ? failure("answered without a mapped address") : { type: "success", mapped };
}

function failure(reason: string): AnswerVerdict {
  return { type: "failure", reason };
}
