import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { demultiplex } from "../../../../agent/src/core/node/demultiplex.ts";
import { decodeStun, encodeStun, type StunMessage } from "../../../../agent/src/core/stun/message.ts";
import { fromHex } from "../../../vectors/hex.ts";
import {
  BARE_REQUEST,
  COOKIE_COLLISIONS,
  FINGERPRINTED_REQUEST,
  MICE_STUN_VECTORS,
  TRANSACTION_ID,
} from "../../../vectors/mice-stun.ts";
import { CARE_OF_TEST_ICE, MOBILITY_HEADERS } from "../../../vectors/mobility.ts";

/** A minimal IPv6 packet that carries a CoT-ICE: version 6, payload length, next header 135, hop limit. */
const IPV6_PACKET = fromHex(`60000000 0098 87 40 ${"20".repeat(32)} ${Buffer.from(CARE_OF_TEST_ICE).toString("hex")}`);
const IPV4_PACKET = fromHex("4500 0018 0000 4000 40 11 0000 c6336409 c633640a 01020304");

describe("demultiplex", () => {
  test.each([
    { name: "a HoT with the cookie as nonce index", payload: COOKIE_COLLISIONS.homeTest },
    { name: "a BU with the cookie as sequence", payload: COOKIE_COLLISIONS.bindingUpdate },
    { name: "a HoT that is also as long as a STUN message", payload: COOKIE_COLLISIONS.lengthMatched },
    ...MOBILITY_HEADERS.map(({ name, header }) => ({ name: `a bare ${name}`, payload: header })),
  ])("takes $name as a Mobility Header", ({ payload }) => {
    expect(demultiplex(payload)).toEqual({ kind: "mobility-header", header: payload });
  });

  test("takes a Binding request with FINGERPRINT as STUN", () => {
    expect(demultiplex(FINGERPRINTED_REQUEST)).toMatchObject({
      kind: "stun",
      message: { class: "request", method: 1 },
      frame: { bytes: FINGERPRINTED_REQUEST },
    });
  });

  test.each(MICE_STUN_VECTORS)("takes the reference $name as STUN", ({ bytes }) => {
    expect(demultiplex(bytes)).toMatchObject({ kind: "stun", message: decodedStun(bytes), frame: { bytes } });
  });

  test.each([
    { name: "another method", message: { method: 3, attributes: [] }, reason: "unknown-method" },
    {
      name: "an attribute that cannot be read",
      message: { method: 1, attributes: [{ type: "unknown", number: 0x0024, value: new Uint8Array(3) }] },
      reason: "bad-priority",
    },
  ] as const)("takes STUN with FINGERPRINT and $name as malformed: $reason", ({ message, reason }) => {
    const header = { class: "request", transactionId: TRANSACTION_ID } as const;
    const payload = encodeStun({ ...header, ...message }, { fingerprint: true });
    expect(demultiplex(payload)).toEqual({ kind: "malformed-stun", reason });
  });

  test("takes a Binding request without FINGERPRINT as unknown", () => {
    expect(demultiplex(BARE_REQUEST)).toEqual({ kind: "unknown", reason: "stun-without-fingerprint" });
  });

  test("takes a Binding request with any bit of its FINGERPRINT flipped as unknown", () => {
    for (let bit = 24 * 8; bit < 28 * 8; bit += 1) {
      const flipped = new Uint8Array(FINGERPRINTED_REQUEST);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(demultiplex(flipped)).toEqual({ kind: "unknown", reason: "stun-without-fingerprint" });
    }
  });

  test("takes an IPv6 packet as such, cut to its own length", () => {
    expect(demultiplex(IPV6_PACKET)).toEqual({ kind: "ipv6", packet: IPV6_PACKET });
    expect(demultiplex(Uint8Array.from([...IPV6_PACKET, 1, 2, 3]))).toEqual({ kind: "ipv6", packet: IPV6_PACKET });
  });

  test("takes an IPv6 packet without payload", () => {
    const packet = new Uint8Array(40).fill(0x60, 0, 1);
    expect(demultiplex(packet)).toEqual({ kind: "ipv6", packet });
  });

  test("takes an IPv4 packet as such, cut to its own length", () => {
    expect(demultiplex(IPV4_PACKET)).toEqual({ kind: "ipv4", packet: IPV4_PACKET });
    expect(demultiplex(Uint8Array.from([...IPV4_PACKET, 1, 2, 3]))).toEqual({ kind: "ipv4", packet: IPV4_PACKET });
  });

  test.each([
    { name: "an IPv6 header of 39 octets", payload: IPV6_PACKET.subarray(0, 39), reason: "ipv6-truncated" },
    {
      name: "an IPv6 packet that lacks its last octet",
      payload: IPV6_PACKET.subarray(0, -1),
      reason: "ipv6-truncated",
    },
    {
      name: "an IPv4 packet that lacks its last octet",
      payload: IPV4_PACKET.subarray(0, -1),
      reason: "ipv4-malformed",
    },
    {
      name: "an IPv4 header of 16 octets",
      payload: fromHex("4400 0010 0000 0000 4011 0000 00000000"),
      reason: "ipv4-malformed",
    },
    {
      name: "an IPv4 header longer than its packet",
      payload: fromHex(`4f00 0014 ${"00".repeat(60)}`),
      reason: "ipv4-malformed",
    },
    { name: "one octet 0x45", payload: fromHex("45"), reason: "ipv4-malformed" },
    { name: "nothing", payload: fromHex(""), reason: "empty" },
    {
      name: "a Mobility Header that lacks its last octet",
      payload: CARE_OF_TEST_ICE.subarray(0, -1),
      reason: "unrecognised",
    },
    { name: "a Mobility Header and an octet more", payload: fromHex("3b00 0000 0000 0000 00"), reason: "unrecognised" },
    {
      name: "a Mobility Header with another Payload Proto",
      payload: fromHex("3a00 0000 0000 0000"),
      reason: "unrecognised",
    },
    { name: "two octets 0xFF", payload: fromHex("ffff"), reason: "unrecognised" },
    { name: "one octet 0xFE", payload: fromHex("fe"), reason: "unrecognised" },
    { name: "RTP", payload: fromHex("8000 0001 00000000 00000000"), reason: "unrecognised" },
  ])("takes $name as unknown: $reason", ({ payload, reason }) => {
    expect(demultiplex(payload)).toEqual({ kind: "unknown", reason });
  });

  test("takes one octet 0xFF as a keepalive", () => {
    expect(demultiplex(fromHex("ff"))).toEqual({ kind: "keepalive" });
  });

  test("sorts a Buffer like the octets it holds", () => {
    expect(demultiplex(Buffer.from(FINGERPRINTED_REQUEST))).toMatchObject({ kind: "stun" });
    expect(demultiplex(Buffer.from(IPV6_PACKET))).toMatchObject({ kind: "ipv6" });
  });
});

test.each([
  { name: "a Mobility Header", inner: CARE_OF_TEST_ICE },
  { name: "an IPv6 packet", inner: IPV6_PACKET },
  { name: "anything else", inner: fromHex("01020304") },
  { name: "nothing", inner: fromHex("") },
  { name: "a keepalive", inner: fromHex("ff") },
])("the port-500 form of bajko-mip6-rrtfw with $name is unknown: it is not implemented", ({ inner }) => {
  const payload = Uint8Array.from([...new Uint8Array(8), ...inner]);
  expect(demultiplex(payload)).toEqual({ kind: "unknown", reason: "unrecognised" });
});

describe("whatever the octets", () => {
  const vectors = [
    FINGERPRINTED_REQUEST,
    IPV6_PACKET,
    IPV4_PACKET,
    COOKIE_COLLISIONS.homeTest,
    COOKIE_COLLISIONS.lengthMatched,
    CARE_OF_TEST_ICE,
  ];

  test.each([...MICE_STUN_VECTORS.map(({ bytes }) => bytes), ...vectors])(
    "a known payload cut at any octet is unknown (%#)",
    (payload) => {
      for (let length = 0; length < payload.length; length += 1)
        expect(demultiplex(payload.subarray(0, length)).kind).toBe("unknown");
    },
  );

  test("it never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
        expect(() => demultiplex(payload)).not.toThrow();
      }),
      { numRuns: 1000 },
    );
  });

  test("octets that begin with 4 or 6 are never STUN", () => {
    fc.assert(
      fc.property(fc.constantFrom(0x40, 0x60), fc.nat(0x0f), (version, low) => {
        const payload = new Uint8Array(FINGERPRINTED_REQUEST);
        payload[0] = version | low;
        expect(demultiplex(payload).kind).not.toBe("stun");
      }),
    );
  });
});

function decodedStun(bytes: Uint8Array): StunMessage {
  const message = decodeStun(bytes);
  if (!message.ok) throw new Error(`not STUN: ${message.error.code}`);
  return message.value;
}
