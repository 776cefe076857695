import { describe, expect, test } from "vitest";
import { encodeStun } from "../../../../agent/src/core/stun/message.ts";
import { fromHex, fromText } from "../../../vectors/hex.ts";
import { CHECK, KEEPALIVE_INDICATION, KEY_R, MICE_STUN_VECTORS, TRANSACTION_ID } from "../../../vectors/mice-stun.ts";
import { RFC_5769_VECTORS, SAMPLE_REQUEST } from "../../../vectors/rfc5769.ts";
import { hasRightIntegrity } from "./received.ts";

describe("verifyIntegrity", () => {
  test.each([...RFC_5769_VECTORS, ...MICE_STUN_VECTORS.filter(({ key }) => key !== undefined)])(
    "accepts $name with its own key and with no other",
    ({ bytes, key }) => {
      expect(hasRightIntegrity(bytes, key ?? fromText(""))).toBe(true);
      expect(hasRightIntegrity(bytes, fromText("VOkJxbRl1RmTxUk/WvJxBu"))).toBe(false);
      expect(hasRightIntegrity(bytes, fromText(""))).toBe(false);
    },
  );

  test("leaves a received Buffer as it was", () => {
    const received = Buffer.from(CHECK);

    expect(hasRightIntegrity(received, KEY_R)).toBe(true);
    expect(new Uint8Array(received)).toEqual(CHECK);
  });

  test("does not depend on a FINGERPRINT behind it", () => {
    const withoutFingerprint = new Uint8Array(SAMPLE_REQUEST.bytes.subarray(0, -8));
    new DataView(withoutFingerprint.buffer).setUint16(2, withoutFingerprint.length - 20);

    expect(hasRightIntegrity(withoutFingerprint, SAMPLE_REQUEST.key)).toBe(true);
  });

  test("is false without MESSAGE-INTEGRITY", () => {
    expect(hasRightIntegrity(KEEPALIVE_INDICATION, KEY_R)).toBe(false);
  });

  test("looks at the first MESSAGE-INTEGRITY, not at a good one behind it", () => {
    const message = { class: "request", method: 1, transactionId: TRANSACTION_ID } as const;
    const wrong = encodeStun(
      { ...message, attributes: [{ type: "message-integrity", value: new Uint8Array(20) }] },
      { fingerprint: false },
    );
    const good = encodeStun({ ...message, attributes: [] }, { key: KEY_R, fingerprint: false }).subarray(20);
    const both = Uint8Array.from([...wrong, ...good]);
    new DataView(both.buffer).setUint16(2, both.length - 20);

    expect(hasRightIntegrity(both, KEY_R)).toBe(false);
  });

  test("is false for a code of another length", () => {
    const short = fromHex("0001 0008 2112a442 000102030405060708090a0b 0008 0004 00000000");
    expect(hasRightIntegrity(short, KEY_R)).toBe(false);
  });
});
