import { describe, expect, test } from "vitest";
import { ByteWriter } from "../../../../agent/src/core/bytes.ts";
import { fingerprintOf } from "../../../../agent/src/core/stun/fingerprint.ts";
import { encodeStun } from "../../../../agent/src/core/stun/message.ts";
import { BARE_REQUEST, FINGERPRINTED_REQUEST, MICE_STUN_VECTORS, TRANSACTION_ID } from "../../../vectors/mice-stun.ts";
import { RFC_5769_VECTORS } from "../../../vectors/rfc5769.ts";
import { hasRightFingerprint } from "./received.ts";

describe("verifyFingerprint", () => {
  test.each([...RFC_5769_VECTORS.filter(({ hasFingerprint }) => hasFingerprint), ...MICE_STUN_VECTORS])(
    "accepts $name",
    ({ bytes }) => {
      expect(hasRightFingerprint(bytes)).toBe(true);
      expect(hasRightFingerprint(Buffer.from(bytes))).toBe(true);
    },
  );

  test("is false without FINGERPRINT", () => {
    expect(hasRightFingerprint(BARE_REQUEST)).toBe(false);
  });

  test("is false when another attribute only ends like one", () => {
    const ending = FINGERPRINTED_REQUEST.subarray(20);
    const bytes = encodeStun(
      {
        class: "request",
        method: 1,
        transactionId: TRANSACTION_ID,
        attributes: [{ type: "unknown", number: 0xc001, value: ending }],
      },
      { fingerprint: false },
    );
    expect(hasRightFingerprint(bytes)).toBe(false);
  });

  test.each([
    { name: "the message has another cookie", at: 4, octet: 0x22, length: 4 },
    { name: "it has eight octets", at: 3, octet: 12, length: 8 },
  ])("is false when $name, though it fits", ({ at, octet, length }) => {
    const prefix = FINGERPRINTED_REQUEST.subarray(0, 20).with(at, octet);
    const value = new ByteWriter()
      .u16(0x8028)
      .u16(length)
      .u32(fingerprintOf(prefix))
      .zeros(length - 4);
    expect(hasRightFingerprint(Uint8Array.from([...prefix, ...value.finish()]))).toBe(false);
  });

  test("is false when it is not the last attribute, though it fits what precedes it", () => {
    const prefix = Uint8Array.from([
      ...FINGERPRINTED_REQUEST.subarray(0, 2),
      0,
      12,
      ...FINGERPRINTED_REQUEST.subarray(4, 20),
    ]);
    const fingerprint = new ByteWriter().u16(0x8028).u16(4).u32(fingerprintOf(prefix)).finish();

    expect(hasRightFingerprint(Uint8Array.from([...prefix, ...fingerprint, 0x00, 0x25, 0x00, 0x00]))).toBe(false);
  });
});
