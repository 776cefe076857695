import { describe, expect, test } from "vitest";
import { classifyStun } from "../../../../agent/src/core/stun/classify.ts";
import { encodeStun, type StunMessage } from "../../../../agent/src/core/stun/message.ts";
import { toHex } from "../../../vectors/hex.ts";
import {
  BARE_REQUEST,
  CHECK,
  CHECK_SUCCESS,
  FINGERPRINTED_REQUEST,
  KEEPALIVE_INDICATION,
  ROLE_CONFLICT,
  TRANSACTION_ID,
} from "../../../vectors/mice-stun.ts";

const ALLOCATE: StunMessage = { class: "request", method: 0x003, transactionId: TRANSACTION_ID, attributes: [] };
const SHARED_PORT = { requireFingerprint: true, isAwaited: () => true };

describe("classifyStun", () => {
  test.each([
    { name: "a check", bytes: CHECK, kind: "request" },
    { name: "a success response", bytes: CHECK_SUCCESS, kind: "response" },
    { name: "an error response", bytes: ROLE_CONFLICT, kind: "response" },
    { name: "a keepalive", bytes: KEEPALIVE_INDICATION, kind: "indication" },
  ])("takes $name as $kind", ({ bytes, kind }) => {
    expect(classifyStun(bytes, SHARED_PORT)).toMatchObject({ kind, message: { transactionId: TRANSACTION_ID } });
  });

  test("takes a request without FINGERPRINT only where none is required", () => {
    expect(classifyStun(BARE_REQUEST, { requireFingerprint: false })).toMatchObject({ kind: "request" });
    expect(classifyStun(BARE_REQUEST, { requireFingerprint: true })).toEqual({
      kind: "drop",
      reason: "no-fingerprint",
    });
  });

  test.each([true, false])("drops a wrong FINGERPRINT, required (%s) or not", (requireFingerprint) => {
    const bytes = new Uint8Array(FINGERPRINTED_REQUEST);
    bytes[27] = (bytes[27] ?? 0) ^ 1;
    expect(classifyStun(bytes, { requireFingerprint })).toEqual({ kind: "drop", reason: "wrong-fingerprint" });
  });

  test("drops other methods than Binding", () => {
    const bytes = encodeStun(ALLOCATE, { fingerprint: true });
    expect(classifyStun(bytes, SHARED_PORT)).toEqual({ kind: "drop", reason: "unknown-method" });
  });

  test("drops a response that no request waits for", () => {
    const unawaited = { kind: "drop", reason: "unawaited-response" };
    expect(classifyStun(CHECK_SUCCESS, { requireFingerprint: true })).toEqual(unawaited);
    expect(classifyStun(ROLE_CONFLICT, { requireFingerprint: true, isAwaited: () => false })).toEqual(unawaited);
  });

  test("asks with the transaction ID of the response, and only for responses", () => {
    const asked: string[] = [];
    const policy = { requireFingerprint: true, isAwaited: (id: Uint8Array) => asked.push(toHex(id)) > 0 };
    for (const bytes of [CHECK, KEEPALIVE_INDICATION, CHECK_SUCCESS]) classifyStun(bytes, policy);

    expect(asked).toEqual([toHex(TRANSACTION_ID)]);
  });

  test("passes on why octets could not be decoded", () => {
    expect(classifyStun(CHECK.subarray(1), SHARED_PORT)).toEqual({ kind: "drop", reason: "not-stun" });
    expect(classifyStun(CHECK.subarray(0, 80), SHARED_PORT)).toEqual({ kind: "drop", reason: "bad-length" });
  });
});
