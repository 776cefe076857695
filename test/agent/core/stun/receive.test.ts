import { describe, expect, test } from "vitest";
import { encodeStun, type StunMessage } from "../../../../agent/src/core/stun/message.ts";
import { receiveStun } from "../../../../agent/src/core/stun/receive.ts";
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
const SHARED_PORT = { requireFingerprint: true };

describe("receiveStun", () => {
  test.each([
    { name: "a check", bytes: CHECK, messageClass: "request" },
    { name: "a success response", bytes: CHECK_SUCCESS, messageClass: "success" },
    { name: "an error response", bytes: ROLE_CONFLICT, messageClass: "error" },
    { name: "a keepalive", bytes: KEEPALIVE_INDICATION, messageClass: "indication" },
  ])("takes $name as $messageClass", ({ bytes, messageClass }) => {
    expect(receiveStun(bytes, SHARED_PORT)).toMatchObject({
      kind: "stun",
      message: { class: messageClass, transactionId: TRANSACTION_ID },
      frame: { bytes },
    });
  });

  test("takes a request without FINGERPRINT only where none is required", () => {
    expect(receiveStun(BARE_REQUEST, { requireFingerprint: false })).toMatchObject({
      kind: "stun",
      message: { class: "request" },
    });
    expect(receiveStun(BARE_REQUEST, { requireFingerprint: true })).toEqual({
      kind: "not-stun",
      reason: "no-fingerprint",
    });
  });

  test.each([true, false])("drops a wrong FINGERPRINT, required (%s) or not", (requireFingerprint) => {
    const bytes = new Uint8Array(FINGERPRINTED_REQUEST);
    bytes[27] = (bytes[27] ?? 0) ^ 1;
    expect(receiveStun(bytes, { requireFingerprint })).toEqual({ kind: "not-stun", reason: "wrong-fingerprint" });
  });

  test("drops other methods than Binding", () => {
    const bytes = encodeStun(ALLOCATE, { fingerprint: true });
    expect(receiveStun(bytes, SHARED_PORT)).toEqual({ kind: "malformed", reason: "unknown-method" });
  });

  test("passes on why octets could not be decoded", () => {
    expect(receiveStun(CHECK.subarray(1), SHARED_PORT)).toEqual({ kind: "not-stun", reason: "not-stun" });
    expect(receiveStun(CHECK.subarray(0, 80), SHARED_PORT)).toEqual({ kind: "not-stun", reason: "bad-length" });
  });
});
