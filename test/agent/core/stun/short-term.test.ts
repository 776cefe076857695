import { describe, expect, test } from "vitest";
import type { StunAttribute } from "../../../../agent/src/core/stun/attributes.ts";
import { encodeStun, findAttribute, type StunMessage } from "../../../../agent/src/core/stun/message.ts";
import { type ReceivedStun, receiveStun } from "../../../../agent/src/core/stun/receive.ts";
import { encodeErrorReply } from "../../../../agent/src/core/stun/reply.ts";
import {
  authenticateRequest,
  authenticateResponse,
  type RequestVerdict,
} from "../../../../agent/src/core/stun/short-term.ts";
import { fromText, toHex } from "../../../vectors/hex.ts";
import {
  CHECK,
  CHECK_SUCCESS,
  KEEPALIVE_INDICATION,
  KEY_R,
  ROLE_CONFLICT,
  TRANSACTION_ID,
} from "../../../vectors/mice-stun.ts";
import { hasRightFingerprint, hasRightIntegrity } from "./received.ts";

const USERNAME: StunAttribute = { type: "username", value: "DQ4P:obLD" };
const UNKNOWN_REQUIRED: StunAttribute = { type: "unknown", number: 0x7001, value: new Uint8Array(2) };
const UNKNOWN_OPTIONAL: StunAttribute = { type: "unknown", number: 0xc057, value: new Uint8Array(4) };
const CHANGE_REQUEST: StunAttribute = { type: "change-request", value: { changeIp: true, changePort: false } };
const WRONG_KEY = fromText("QEFCQ0RFRkdISUpLTE1OTx");

const keyOf = (username: string): Uint8Array | undefined => (username === "DQ4P:obLD" ? KEY_R : undefined);

describe("authenticateRequest", () => {
  test("accepts the reference check and says who it is from", () => {
    const verdict = authenticateRequest(received(CHECK), keyOf);
    expect(verdict).toEqual({ verdict: "accept", username: "DQ4P:obLD", key: KEY_R });
  });

  test("accepts unknown attributes that need no comprehension", () => {
    expect(judge([USERNAME, UNKNOWN_OPTIONAL], KEY_R)).toMatchObject({ verdict: "accept" });
  });

  test.each([
    { name: "no USERNAME", attributes: [], key: KEY_R, code: 400 },
    { name: "no MESSAGE-INTEGRITY", attributes: [USERNAME], key: undefined, code: 400 },
    { name: "neither", attributes: [], key: undefined, code: 400 },
    { name: "an unknown attribute without credentials", attributes: [UNKNOWN_REQUIRED], key: undefined, code: 400 },
    { name: "a stranger's username", attributes: [{ type: "username", value: "obLD:DQ4P" }], key: KEY_R, code: 401 },
    { name: "another password", attributes: [USERNAME], key: WRONG_KEY, code: 401 },
    {
      name: "an unknown attribute and another password",
      attributes: [USERNAME, UNKNOWN_REQUIRED],
      key: WRONG_KEY,
      code: 401,
    },
  ] as const)("rejects $name with $code, unauthenticated", ({ attributes, key, code }) => {
    const verdict = judge(attributes, key);

    expect(verdict).toMatchObject({ verdict: "reject", code });
    const reply = replyOf(verdict);
    expect(reply.message.attributes.map(({ type }) => type)).toEqual(["error-code", "fingerprint"]);
    expect(findAttribute(reply.message, "error-code")?.code).toBe(code);
    expect(reply.message).toMatchObject({ class: "error", method: 1, transactionId: TRANSACTION_ID });
    expect(hasRightFingerprint(reply.frame.bytes)).toBe(true);
  });

  test("rejects unknown attributes with 420, which names them and is authenticated", () => {
    const verdict = judge([USERNAME, UNKNOWN_REQUIRED, UNKNOWN_OPTIONAL, CHANGE_REQUEST], KEY_R);

    expect(verdict).toMatchObject({ verdict: "reject", code: 420 });
    const { message, frame } = replyOf(verdict);
    expect(findAttribute(message, "error-code")).toEqual({ code: 420, reason: "Unknown Attribute" });
    expect(findAttribute(message, "unknown-attributes")).toEqual([0x7001, 0x0003]);
    expect(findAttribute(message, "username")).toBeUndefined();
    expect(hasRightIntegrity(frame.bytes, KEY_R)).toBe(true);
  });

  test("is not misled by credentials behind MESSAGE-INTEGRITY", () => {
    const bytes = encodeStun(request([{ type: "message-integrity", value: new Uint8Array(20) }, USERNAME]), {
      fingerprint: false,
    });
    expect(authenticateRequest(received(bytes), keyOf)).toMatchObject({ verdict: "reject", code: 400 });
  });

  test("drops an indication that it would have to reject", () => {
    const verdict = authenticateRequest(received(KEEPALIVE_INDICATION), keyOf);
    expect(verdict).toEqual({ verdict: "drop", reason: "indication-refused-400" });
  });

  test("accepts an indication with good credentials", () => {
    const bytes = encodeStun({ ...request([USERNAME]), class: "indication" }, { key: KEY_R, fingerprint: true });
    expect(authenticateRequest(received(bytes), keyOf)).toMatchObject({ verdict: "accept" });
  });
});

describe("authenticateResponse", () => {
  test.each([
    { name: "success", bytes: CHECK_SUCCESS },
    { name: "487", bytes: ROLE_CONFLICT },
  ])("accepts the reference $name", ({ bytes }) => {
    expect(authenticateResponse(received(bytes), KEY_R)).toEqual({ verdict: "accept" });
  });

  test("ignores a response with another key", () => {
    expect(authenticateResponse(received(CHECK_SUCCESS), WRONG_KEY)).toEqual({
      verdict: "ignore",
      reason: "wrong-integrity",
    });
  });

  test("ignores an unauthenticated 401: the request is repeated until it times out", () => {
    const bytes = encodeErrorReply(request([]), { code: 401 });
    expect(authenticateResponse(received(bytes), KEY_R)).toEqual({ verdict: "ignore", reason: "no-integrity" });
  });

  test("fails the transaction for an unknown attribute that needs comprehension", () => {
    const bytes = encodeStun(
      { ...request([UNKNOWN_REQUIRED, UNKNOWN_OPTIONAL]), class: "success" },
      { key: KEY_R, fingerprint: true },
    );
    expect(authenticateResponse(received(bytes), KEY_R)).toEqual({
      verdict: "fail",
      reason: "unknown-attribute",
      notUnderstood: [0x7001],
    });
  });
});

test("encodeErrorReply makes the reference 487 bit-exact", () => {
  expect(toHex(encodeErrorReply(request([]), { code: 487 }, KEY_R))).toBe(toHex(ROLE_CONFLICT));
});

function request(attributes: readonly StunAttribute[]): StunMessage {
  return { class: "request", method: 1, transactionId: TRANSACTION_ID, attributes };
}

function judge(attributes: readonly StunAttribute[], key: Uint8Array | undefined): RequestVerdict {
  return authenticateRequest(received(encodeStun(request(attributes), { key, fingerprint: true })), keyOf);
}

function replyOf(verdict: RequestVerdict): ReceivedStun {
  if (verdict.verdict !== "reject") throw new Error(`expected a rejection, found ${verdict.verdict}`);
  return received(verdict.reply);
}

function received(bytes: Uint8Array): ReceivedStun {
  const result = receiveStun(bytes, { requireFingerprint: false });
  if (result.kind !== "stun") throw new Error(`expected a STUN message, found ${result.reason}`);
  return result;
}
