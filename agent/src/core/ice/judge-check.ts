/** What a received check, or the answer to one's own, means before it changes anything (SPEC 1.4, 2.7 and 2.8). */

import { formatSocketAddress, type SocketAddress, sameSocketAddress } from "../address.ts";
import { findAttribute, type StunMessage } from "../stun/message.ts";
import type { ReceivedStun, StunDatagram } from "../stun/receive.ts";
import { encodeErrorReply } from "../stun/reply.ts";
import { authenticateRequest, authenticateResponse } from "../stun/short-term.ts";
import { type CheckContent, readCheck } from "./check-message.ts";

/** A check to act on, or the refusal to send; `isAuthenticated` tells whether the peer wrote what was refused. */
export type CheckVerdict =
  | { readonly type: "accepted"; readonly content: CheckContent }
  | { readonly type: "refused"; readonly code: number; readonly reply: Uint8Array; readonly isAuthenticated: boolean };

/** What an answer proves. An unauthenticated one proves nothing, and the check goes on as if it had never come. */
export type AnswerVerdict =
  | { readonly type: "success"; readonly mapped: SocketAddress }
  | { readonly type: "role-conflict" }
  | { readonly type: "failure"; readonly reason: string }
  | { readonly type: "unauthenticated" };

/**
 * Judges a Binding request for the agent with this username fragment and key (the password's octets). Only the left
 * part of USERNAME has to fit: a check may come before the peer's own fragment is known.
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

/** Judges the answer to a check that went from `base` to `remote`; `key` is the peer's password in octets. */
export function judgeAnswer(
  { base, remote }: { readonly base: SocketAddress; readonly remote: SocketAddress },
  answer: StunDatagram,
  key: Uint8Array,
): AnswerVerdict {
  const verdict = authenticateResponse(answer, key);
  if (verdict.verdict === "ignore") return { type: "unauthenticated" };
  // The symmetry rule: an answer has to take the way of its request (RFC 8445 section 7.2.5.2.1).
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
