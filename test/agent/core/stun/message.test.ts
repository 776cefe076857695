import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ATTRIBUTE_NUMBERS, type StunAttribute } from "../../../../agent/src/core/stun/attributes.ts";
import { decodeStun, encodeStun, findAttribute, type StunMessage } from "../../../../agent/src/core/stun/message.ts";
import { fromHex, fromText, toHex } from "../../../vectors/hex.ts";
import {
  CHECK,
  CHECK_SUCCESS,
  FINGERPRINTED_REQUEST,
  KEEPALIVE_INDICATION,
  KEY_R,
  MICE_STUN_VECTORS,
  ROLE_CONFLICT,
  TRANSACTION_ID,
} from "../../../vectors/mice-stun.ts";
import { RFC_5769_VECTORS, SAMPLE_LONG_TERM_REQUEST, SAMPLE_REQUEST } from "../../../vectors/rfc5769.ts";
import { stunMessages } from "./arbitraries.ts";
import { hasRightFingerprint, hasRightIntegrity } from "./received.ts";

/** All valid messages of the vectors. */
const VECTORS = [...RFC_5769_VECTORS, ...MICE_STUN_VECTORS];

const CHECK_MESSAGE: StunMessage = {
  class: "request",
  method: 1,
  transactionId: TRANSACTION_ID,
  attributes: [
    { type: "username", value: "DQ4P:obLD" },
    { type: "priority", value: 0x6effffff },
    { type: "ice-controlling", value: 0x0011223344556677n },
  ],
};

describe("encodeStun", () => {
  test("makes the reference check bit-exact", () => {
    expect(toHex(encodeStun(CHECK_MESSAGE, { key: KEY_R, fingerprint: true }))).toBe(toHex(CHECK));
  });

  test("makes the reference success response bit-exact", () => {
    const success: StunMessage = {
      class: "success",
      method: 1,
      transactionId: TRANSACTION_ID,
      attributes: [{ type: "xor-mapped-address", value: { ip: "198.51.100.10", port: 61001 } }],
    };
    expect(toHex(encodeStun(success, { key: KEY_R, fingerprint: true }))).toBe(toHex(CHECK_SUCCESS));
  });

  test("makes the reference keepalive bit-exact", () => {
    const indication: StunMessage = { class: "indication", method: 1, transactionId: TRANSACTION_ID, attributes: [] };
    expect(toHex(encodeStun(indication, { fingerprint: true }))).toBe(toHex(KEEPALIVE_INDICATION));
  });

  test("makes the reference 487 bit-exact", () => {
    const conflict: StunMessage = {
      class: "error",
      method: 1,
      transactionId: TRANSACTION_ID,
      attributes: [{ type: "error-code", value: { code: 487, reason: "Role Conflict" } }],
    };
    expect(toHex(encodeStun(conflict, { key: KEY_R, fingerprint: true }))).toBe(toHex(ROLE_CONFLICT));
  });

  test("makes the long-term request of RFC 5769 section 2.4 bit-exact", () => {
    const { message, key, bytes } = SAMPLE_LONG_TERM_REQUEST;
    const attributes = message.attributes.filter(({ type }) => type !== "message-integrity");
    expect(toHex(encodeStun({ ...message, attributes }, { key, fingerprint: false }))).toBe(toHex(bytes));
  });

  test("adds USE-CANDIDATE to the reference check in four octets", () => {
    const attributes: StunAttribute[] = [...CHECK_MESSAGE.attributes, { type: "use-candidate", value: true }];
    const nominating = encodeStun({ ...CHECK_MESSAGE, attributes }, { key: KEY_R, fingerprint: true });

    expect(nominating).toHaveLength(92);
    expect(hasRightIntegrity(nominating, KEY_R) && hasRightFingerprint(nominating)).toBe(true);
  });

  test("pads with zeros", () => {
    const attributes: StunAttribute[] = [{ type: "unknown", number: 0xc001, value: fromHex("ff") }];
    expect(toHex(encodeStun({ ...CHECK_MESSAGE, attributes }, { fingerprint: false }))).toMatch(/c0010001ff000000$/);
  });

  test("appends nothing unasked", () => {
    expect(encodeStun({ ...CHECK_MESSAGE, attributes: [] }, { fingerprint: false })).toHaveLength(20);
  });

  test.each([
    {
      name: "a second MESSAGE-INTEGRITY",
      attribute: { type: "message-integrity", value: new Uint8Array(20) },
      protection: { key: KEY_R, fingerprint: false },
    },
    { name: "a second FINGERPRINT", attribute: { type: "fingerprint", value: 0 }, protection: { fingerprint: true } },
    {
      name: "MESSAGE-INTEGRITY behind FINGERPRINT",
      attribute: { type: "fingerprint", value: 0 },
      protection: { key: KEY_R, fingerprint: false },
    },
  ] as const)("refuses to write $name", ({ attribute, protection }) => {
    expect(() => encodeStun({ ...CHECK_MESSAGE, attributes: [attribute] }, protection)).toThrow(RangeError);
  });
});

describe("decodeStun", () => {
  test.each(RFC_5769_VECTORS)("reads RFC 5769 $name", ({ bytes, message }) => {
    expect(decodeStun(bytes)).toEqual({ ok: true, value: message });
  });

  test("keeps the first of repeated attributes", () => {
    const attributes: StunAttribute[] = [
      { type: "priority", value: 1 },
      { type: "unknown", number: 0xc001, value: fromHex("0a") },
      { type: "priority", value: 2 },
      { type: "unknown", number: 0xc001, value: fromHex("0b") },
    ];
    const bytes = encodeStun({ ...CHECK_MESSAGE, attributes }, { fingerprint: false });

    expect(decodeStun(bytes)).toMatchObject({ value: { attributes: attributes.slice(0, 2) } });
  });

  test("does not even look into a repetition", () => {
    const attributes: StunAttribute[] = [
      { type: "username", value: "a:b" },
      { type: "unknown", number: ATTRIBUTE_NUMBERS.username, value: fromHex("ff") },
    ];
    const bytes = encodeStun({ ...CHECK_MESSAGE, attributes }, { fingerprint: false });

    expect(decodeStun(bytes)).toMatchObject({ ok: true, value: { attributes: attributes.slice(0, 1) } });
  });

  test("ignores what stands behind MESSAGE-INTEGRITY, except FINGERPRINT", () => {
    const integrity: StunAttribute = { type: "message-integrity", value: new Uint8Array(20) };
    const injected: StunAttribute[] = [
      { type: "use-candidate", value: true },
      { type: "message-integrity", value: new Uint8Array(20).fill(1) },
      { type: "unknown", number: 0x0024, value: fromHex("ff") },
      { type: "unknown", number: 0x7fff, value: fromHex("") },
    ];
    const fingerprint: StunAttribute = { type: "fingerprint", value: 7 };
    const attributes = [...CHECK_MESSAGE.attributes, integrity, ...injected, fingerprint];
    const result = decodeStun(encodeStun({ ...CHECK_MESSAGE, attributes }, { fingerprint: false }));

    expect(result).toMatchObject({ value: { attributes: [...CHECK_MESSAGE.attributes, integrity, fingerprint] } });
  });

  test.each([
    { name: "nothing", bytes: "", code: "truncated", offset: 0 },
    { name: "19 octets", bytes: "0001 0000 2112a442 000102030405060708090a", code: "truncated", offset: 19 },
    {
      name: "a first bit that is set",
      bytes: "8001 0000 2112a442 000102030405060708090a0b",
      code: "not-stun",
      offset: 0,
    },
    {
      name: "a second bit that is set",
      bytes: "4001 0000 2112a442 000102030405060708090a0b",
      code: "not-stun",
      offset: 0,
    },
    { name: "another cookie", bytes: "0001 0000 2112a443 000102030405060708090a0b", code: "not-stun", offset: 4 },
    {
      name: "a length that is no multiple of four",
      bytes: "0001 0002 2112a442 000102030405060708090a0b 0000",
      code: "bad-length",
      offset: 2,
    },
    {
      name: "a length beyond the datagram",
      bytes: "0001 0004 2112a442 000102030405060708090a0b",
      code: "bad-length",
      offset: 2,
    },
    {
      name: "octets behind the message",
      bytes: "0001 0000 2112a442 000102030405060708090a0b 00000000",
      code: "bad-length",
      offset: 2,
    },
    {
      name: "an attribute beyond the message",
      bytes: "0001 0008 2112a442 000102030405060708090a0b 0006 0005 41414141",
      code: "truncated-attribute",
      offset: 20,
    },
    {
      name: "an attribute of the greatest length",
      bytes: "0001 0008 2112a442 000102030405060708090a0b 0006 ffff 41414141",
      code: "truncated-attribute",
      offset: 20,
    },
    {
      name: "FINGERPRINT before another attribute",
      bytes: "0001 000c 2112a442 000102030405060708090a0b 80280004 5b0ff6fc 00250000",
      code: "fingerprint-not-last",
      offset: 20,
    },
    {
      name: "a value that is malformed",
      bytes: "0001 000c 2112a442 000102030405060708090a0b 00250000 00240002 00010000",
      code: "bad-priority",
      offset: 24,
    },
  ])("refuses $name", ({ bytes, code, offset }) => {
    expect(decodeStun(fromHex(bytes))).toEqual({ ok: false, error: { code, offset } });
  });

  test.each(VECTORS)("refuses $name cut at any octet", ({ bytes }) => {
    for (let length = 0; length < bytes.length; length += 1) {
      const cut = bytes.subarray(0, length);
      expect(decodeStun(cut)).toMatchObject({ ok: false });
      expect(hasRightFingerprint(cut)).toBe(false);
      expect(hasRightIntegrity(cut, KEY_R)).toBe(false);
    }
  });

  test("reads back what encodeStun writes", () => {
    fc.assert(
      fc.property(stunMessages(), (message) => {
        expect(decodeStun(encodeStun(message, { fingerprint: false }))).toEqual({ ok: true, value: message });
      }),
    );
  });

  test("never throws, whatever the octets", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (octets) => {
        expect(typeof decodeStun(octets).ok).toBe("boolean");
        expect(hasRightFingerprint(octets)).toBe(false);
        expect(hasRightIntegrity(octets, KEY_R)).toBe(false);
      }),
    );
  });

  test("never throws for octets behind a good header, and returns only views of them", () => {
    const bodies = fc.array(fc.uint8Array({ minLength: 4, maxLength: 4 }), { maxLength: 60 });
    const types = fc.constantFrom(...Object.values(ATTRIBUTE_NUMBERS), 0x7fff, 0xffff);
    fc.assert(
      fc.property(bodies, types, fc.nat(300), (words, type, length) => {
        const body = [type >> 8, type & 0xff, length >> 8, length & 0xff, ...words.flatMap((word) => [...word])];
        const octets = Uint8Array.from([0, 1, body.length >> 8, body.length & 0xff, ...CHECK.subarray(4, 20), ...body]);
        const result = decodeStun(octets);
        const values = result.ok ? result.value.attributes.map(({ value }) => value) : [];
        for (const value of values) if (value instanceof Uint8Array) expect(value.buffer).toBe(octets.buffer);
      }),
      { numRuns: 500 },
    );
  });

  test("never throws for a valid message with octets changed", () => {
    const changes = fc.array(fc.tuple(fc.nat(107), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(changes, (each) => {
        const octets = new Uint8Array(SAMPLE_REQUEST.bytes);
        for (const [offset, octet] of each) octets[offset] = octet;
        expect(() => decodeStun(octets)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});

describe("findAttribute", () => {
  test("returns the value by type", () => {
    expect(findAttribute(SAMPLE_REQUEST.message, "username")).toBe("evtj:h6vY");
    expect(findAttribute(SAMPLE_REQUEST.message, "ice-controlled")).toBe(0x932ff9b151263b36n);
  });

  test("returns undefined for what is not there", () => {
    expect(findAttribute(SAMPLE_REQUEST.message, "use-candidate")).toBeUndefined();
  });

  test("takes the first where a message was built with two", () => {
    const attributes: StunAttribute[] = [
      { type: "software", value: "first" },
      { type: "software", value: "second" },
    ];
    expect(findAttribute({ attributes }, "software")).toBe("first");
  });
});

test.each(VECTORS)("every flipped bit of $name is detected", ({ bytes, key }) => {
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = new Uint8Array(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const isTaken = decodeStun(flipped).ok && hasRightFingerprint(flipped);
    expect(isTaken, `bit ${bit} with FINGERPRINT`).toBe(false);
    if (key !== undefined && bit < integrityEnd(bytes) * 8)
      expect(hasRightIntegrity(flipped, key), `bit ${bit} with MESSAGE-INTEGRITY`).toBe(false);
  }
});

test("the request with FINGERPRINT that the demultiplexer is tested with is what encodeStun makes", () => {
  const request = encodeStun({ ...CHECK_MESSAGE, attributes: [] }, { fingerprint: true });
  expect(toHex(request)).toBe(toHex(FINGERPRINTED_REQUEST));
});

test("a username of Japanese text is what its octets say", () => {
  expect(findAttribute(SAMPLE_LONG_TERM_REQUEST.message, "username")).toBe("マトリックス");
  expect(fromText("マトリックス")).toHaveLength(18);
});

/** End of the octets up to and including MESSAGE-INTEGRITY, in a message that may end with FINGERPRINT. */
function integrityEnd(bytes: Uint8Array): number {
  return hasRightFingerprint(bytes) ? bytes.length - 8 : bytes.length;
}
