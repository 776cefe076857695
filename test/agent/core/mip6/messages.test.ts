import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DEFAULT_MOBILITY_NUMBERS,
  decodeMobilityMessage,
  encodeMobilityMessage,
  type MobilityMessage,
  NO_FLAGS,
} from "../../../../agent/src/core/mip6/messages.ts";
import { encodeMobilityHeader, withChecksum } from "../../../../agent/src/core/mip6/mobility-header.ts";
import { findOption, type MobilityOption } from "../../../../agent/src/core/mip6/options.ts";
import { fromHex, toHex } from "../../../vectors/hex.ts";
import {
  ANSWER_OPTION,
  CARE_OF_TEST_ICE,
  CARE_OF_TEST_INIT_ICE,
  CLASSIC_BINDING_UPDATE,
  ICE_BINDING_ACKNOWLEDGEMENT,
  ICE_BINDING_UPDATE,
  L_TO_R,
  MOBILITY_HEADERS,
  OFFER_OPTION,
  R_TO_L,
  RETURN_ROUTABILITY,
} from "../../../vectors/mobility.ts";

const COOKIE = fromHex("c0c1c2c3c4c5c6c7");

const authorization = (hex: string): MobilityOption => ({
  type: "binding-authorization-data",
  authenticator: fromHex(hex),
});

const mipIce = (option: Uint8Array): MobilityOption => ({ type: "opaque", optionType: 18, data: option.subarray(2) });

const VECTORS: readonly {
  name: string;
  message: MobilityMessage;
  endpoints: { source: string; destination: string };
  header: Uint8Array;
}[] = [
  {
    name: "classic BU",
    message: {
      type: "binding-update",
      sequence: 1,
      flags: { ...NO_FLAGS, acknowledge: true },
      lifetimeSec: 420,
      options: [{ type: "nonce-indices", home: 1, careOf: 1 }, authorization("3c714de01013498d72c65b36")],
    },
    endpoints: L_TO_R,
    header: CLASSIC_BINDING_UPDATE,
  },
  {
    name: "CoTI-ICE",
    message: { type: "care-of-test-init-ice", careOfInitCookie: COOKIE, options: [mipIce(OFFER_OPTION)] },
    endpoints: L_TO_R,
    header: CARE_OF_TEST_INIT_ICE,
  },
  {
    name: "CoT-ICE",
    message: {
      type: "care-of-test-ice",
      careOfNonceIndex: 1,
      careOfInitCookie: COOKIE,
      careOfKeygenToken: RETURN_ROUTABILITY.iceCareOfToken,
      options: [mipIce(ANSWER_OPTION)],
    },
    endpoints: R_TO_L,
    header: CARE_OF_TEST_ICE,
  },
  {
    name: "M-ICE BU",
    message: {
      type: "binding-update",
      sequence: 7,
      flags: { ...NO_FLAGS, acknowledge: true },
      lifetimeSec: 420,
      options: [
        { type: "alternate-care-of-address", address: "198.51.100.10" },
        { type: "nonce-indices", home: 1, careOf: 1 },
        authorization("5b932adde28c2d36a5800660"),
      ],
    },
    endpoints: L_TO_R,
    header: ICE_BINDING_UPDATE,
  },
  {
    name: "M-ICE BA",
    message: {
      type: "binding-acknowledgement",
      status: 0,
      keyManagement: false,
      sequence: 7,
      lifetimeSec: 420,
      options: [authorization("1c390d590f8d13b9ffbc9392")],
    },
    endpoints: R_TO_L,
    header: ICE_BINDING_ACKNOWLEDGEMENT,
  },
];

describe("vectors", () => {
  test.each(VECTORS)("the $name is encoded bit by bit", ({ message, endpoints, header }) => {
    expect(toHex(encodeMobilityMessage(message, endpoints))).toBe(toHex(header));
  });

  test.each(VECTORS)("the $name is decoded", ({ message, endpoints, header }) => {
    expect(decodeMobilityMessage(header, endpoints)).toEqual({ ok: true, value: message });
  });
});

describe("bytes from the network", () => {
  test.each(MOBILITY_HEADERS)("a $name cut at any octet is refused", ({ header, endpoints }) => {
    for (let length = 0; length < header.length; length++)
      expect(decodeMobilityMessage(header.subarray(0, length), endpoints).ok).toBe(false);
  });

  test.each(MOBILITY_HEADERS)("a $name with any bit flipped is refused", ({ header, endpoints }) => {
    for (let bit = 0; bit < header.length * 8; bit++) {
      const damaged = Uint8Array.from(header, (octet, i) => (i === bit >> 3 ? octet ^ (1 << (bit & 7)) : octet));
      expect(decodeMobilityMessage(damaged, endpoints).ok).toBe(false);
    }
  });

  test.each(MOBILITY_HEADERS)("a $name between other addresses has a wrong checksum", ({ header, endpoints }) => {
    const others = { ...endpoints, source: "2001:db8:a::101" };
    expect(decodeMobilityMessage(header, others)).toEqual({
      ok: false,
      error: { code: "mobility-checksum", offset: 4 },
    });
  });

  test("a type that is not known is a value, so that a node can answer with a Binding Error", () => {
    const header = withChecksum(fromHex("3b00630000000000"), L_TO_R);
    expect(decodeMobilityMessage(header, L_TO_R)).toEqual({ ok: true, value: { type: "unknown", mhType: 0x63 } });
  });

  test.each([
    { code: "payload-proto", offset: 0, hex: "3a00000000000000" },
    { code: "mobility-length", offset: 1, hex: "3b01000000000000" },
    { code: "truncated", offset: 8, hex: "3b00010000000000" },
    { code: "truncated", offset: 7, hex: "3b000100000000" },
    { code: "option-overrun", offset: 12, hex: "3b0105000000000180000069 03100000" },
    { code: "option-overrun", offset: 15, hex: "3b0105000000000180000069 00000003" },
    { code: "option-length", offset: 12, hex: "3b0105000000000180000069 04020000" },
    {
      code: "authorization-data-not-last",
      offset: 12,
      hex: "3b0305000000000180000069 050c000000000000000000000000 01040000 0000",
    },
  ])("$code at octet $offset is refused", ({ code, offset, hex }) => {
    const header = withChecksum(fromHex(hex), L_TO_R);
    expect(decodeMobilityMessage(header, L_TO_R)).toEqual({ ok: false, error: { code, offset } });
  });

  test("random octets with a right frame and checksum never throw", () => {
    const frame = fc.tuple(
      fc.uint8Array({ minLength: 6, maxLength: 250 }),
      fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 22, 23, 99),
    );
    fc.assert(
      fc.property(frame, ([data, mhType]) => {
        const body = data.subarray(0, data.length - ((data.length + 6) % 8));
        const raw = Uint8Array.from([59, (body.length + 6) / 8 - 1, mhType, 0, 0, 0, ...body]);
        decodeMobilityMessage(withChecksum(raw, L_TO_R), L_TO_R);
      }),
    );
  });
});

describe("encoding", () => {
  test("any message survives a round trip", () => {
    fc.assert(
      fc.property(anyMessage(), (message) => {
        expect(decodeMobilityMessage(encodeMobilityMessage(message, L_TO_R), L_TO_R)).toEqual({
          ok: true,
          value: message,
        });
      }),
    );
  });

  test("CoTI-ICE and CoT-ICE take other numbers where a deployment has them", () => {
    const numbers = { careOfTestInitIce: 11, careOfTestIce: 12 };
    const message: MobilityMessage = { type: "care-of-test-init-ice", careOfInitCookie: COOKIE, options: [] };
    const header = encodeMobilityMessage(message, L_TO_R, numbers);
    expect(header[2]).toBe(11);
    expect(decodeMobilityMessage(header, L_TO_R, numbers)).toEqual({ ok: true, value: message });
    expect(decodeMobilityMessage(header, L_TO_R, DEFAULT_MOBILITY_NUMBERS)).toEqual({
      ok: true,
      value: { type: "unknown", mhType: 11 },
    });
  });

  test("more than 2048 octets cannot be encoded", () => {
    const big: MobilityOption = { type: "opaque", optionType: 200, data: new Uint8Array(252) };
    const message: MobilityMessage = { type: "binding-refresh-request", options: Array<MobilityOption>(9).fill(big) };
    expect(() => encodeMobilityMessage(message, L_TO_R)).toThrow("up to 2048, not 2312");
  });

  test("2048 octets can be encoded", () => {
    const options = [...Array<number>(7).fill(255), 218].map(
      (length): MobilityOption => ({ type: "opaque", optionType: 200, data: new Uint8Array(length) }),
    );
    expect(encodeMobilityMessage({ type: "binding-refresh-request", options }, L_TO_R)).toHaveLength(2048);
  });

  test("message data that does not fill units of 8 octets cannot be encoded", () => {
    expect(() => encodeMobilityHeader(0, new Uint8Array(3), L_TO_R)).toThrow(
      "a multiple of 8 octets up to 2048, not 9",
    );
  });

  test.each<{ message: MobilityMessage; reason: string }>([
    {
      message: { type: "home-test-init", homeInitCookie: new Uint8Array(7), options: [] },
      reason: "a cookie or keygen token has 8 octets, not 7",
    },
    {
      message: {
        type: "home-test-init",
        homeInitCookie: COOKIE,
        options: [{ type: "binding-authorization-data", authenticator: new Uint8Array(13) }],
      },
      reason: "an authenticator has 12 octets, not 13",
    },
  ])("$reason", ({ message, reason }) => {
    expect(() => encodeMobilityMessage(message, L_TO_R)).toThrow(reason);
  });

  test.each<{ name: string; option: MobilityOption; octets: string }>([
    {
      name: "Binding Refresh Advice at 2n",
      option: { type: "binding-refresh-advice", intervalSec: 8 },
      octets: "0801ff 00 02020002",
    },
    {
      name: "Authentication at 4n + 1",
      option: { type: "authentication", subtype: 1, spi: 256, authenticator: new Uint8Array(12).fill(0xaa) },
      octets: `0801ff 0100 091101 00000100 ${"aa".repeat(12)}`,
    },
    {
      name: "Replay Protection at 8n + 2",
      option: { type: "replay-protection", timestamp: 0x83aa_7e80_8000_0000n },
      octets: "0801ff 01050000000000 0a08 83aa7e8080000000 01020000",
    },
  ])("$name", ({ option, octets }) => {
    const foreign: MobilityOption = { type: "opaque", optionType: 8, data: Uint8Array.of(0xff) };
    const header = encodeMobilityMessage({ type: "binding-refresh-request", options: [foreign, option] }, L_TO_R);
    expect(toHex(header.subarray(8))).toBe(octets.replaceAll(" ", ""));
  });

  test("bits and options that a message may have without meaning here are carried or ignored", () => {
    const header = encodeMobilityMessage(
      {
        type: "binding-update",
        sequence: 0xffff,
        flags: {
          acknowledge: true,
          homeRegistration: true,
          linkLocalCompatible: true,
          keyManagement: true,
          forceUdp: true,
        },
        lifetimeSec: 262_140,
        options: [{ type: "opaque", optionType: 8, data: fromHex("01616263") }],
      },
      L_TO_R,
    );
    expect(toHex(header.subarray(6, 12))).toBe("fffff100ffff");
    const message = decodeMobilityMessage(header, L_TO_R);
    expect(message.ok && message.value.type !== "unknown" && findOption(message.value.options, "opaque")).toEqual({
      type: "opaque",
      optionType: 8,
      data: fromHex("01616263"),
    });
  });
});

function anyMessage(): fc.Arbitrary<MobilityMessage> {
  const eight = fc.uint8Array({ minLength: 8, maxLength: 8 });
  const u16 = fc.integer({ min: 0, max: 0xffff });
  const u8 = fc.integer({ min: 0, max: 0xff });
  const options = fc.array(anyOption(), { maxLength: 5 });
  const lifetimeSec = u16.map((units) => units * 4);
  const flags = fc.record({
    acknowledge: fc.boolean(),
    homeRegistration: fc.boolean(),
    linkLocalCompatible: fc.boolean(),
    keyManagement: fc.boolean(),
    forceUdp: fc.boolean(),
  });
  return fc.oneof(
    fc.record({ type: fc.constant("binding-refresh-request" as const), options }),
    fc.record({ type: fc.constant("home-test-init" as const), homeInitCookie: eight, options }),
    fc.record({
      type: fc.constantFrom("care-of-test-init" as const, "care-of-test-init-ice" as const),
      careOfInitCookie: eight,
      options,
    }),
    fc.record({
      type: fc.constant("home-test" as const),
      homeNonceIndex: u16,
      homeInitCookie: eight,
      homeKeygenToken: eight,
      options,
    }),
    fc.record({
      type: fc.constantFrom("care-of-test" as const, "care-of-test-ice" as const),
      careOfNonceIndex: u16,
      careOfInitCookie: eight,
      careOfKeygenToken: eight,
      options,
    }),
    fc.record({ type: fc.constant("binding-update" as const), sequence: u16, flags, lifetimeSec, options }),
    fc.record({
      type: fc.constant("binding-acknowledgement" as const),
      status: u8,
      keyManagement: fc.boolean(),
      sequence: u16,
      lifetimeSec,
      options,
    }),
    fc.record({
      type: fc.constant("binding-error" as const),
      status: u8,
      homeAddress: fc.constantFrom("2001:db8:a::100", "::", "::ffff:192.0.2.1"),
      options,
    }),
  );
}

function anyOption(): fc.Arbitrary<MobilityOption> {
  const u16 = fc.integer({ min: 0, max: 0xffff });
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const ipv4 = fc.ipV4();
  const authenticator = fc.uint8Array({ minLength: 12, maxLength: 12 });
  return fc.oneof(
    fc.record({ type: fc.constant("binding-refresh-advice" as const), intervalSec: u16.map((units) => units * 4) }),
    fc.record({
      type: fc.constant("alternate-care-of-address" as const),
      address: fc.oneof(ipv4, fc.constant("2001:db8:c::5")),
    }),
    fc.record({ type: fc.constant("nonce-indices" as const), home: u16, careOf: u16 }),
    fc.record({
      type: fc.constant("authentication" as const),
      subtype: fc.integer({ min: 0, max: 255 }),
      spi: u32,
      authenticator,
    }),
    fc.record({
      type: fc.constant("replay-protection" as const),
      timestamp: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
    }),
    fc.record({
      type: fc.constant("ipv4-home-address" as const),
      prefixLength: fc.integer({ min: 0, max: 63 }),
      requestsPrefix: fc.boolean(),
      address: ipv4,
    }),
    fc.record({
      type: fc.constant("ipv4-address-acknowledgement" as const),
      status: fc.integer({ min: 0, max: 255 }),
      prefixLength: fc.integer({ min: 0, max: 63 }),
      address: ipv4,
    }),
    fc.record({ type: fc.constant("nat-detection" as const), forceUdp: fc.boolean(), refreshSec: u32 }),
    fc.record({ type: fc.constant("ipv4-care-of-address" as const), address: ipv4 }),
    fc.record({
      type: fc.constant("opaque" as const),
      optionType: fc.constantFrom(8, 18, 77, 255),
      data: fc.uint8Array({ maxLength: 255 }),
    }),
  );
}
