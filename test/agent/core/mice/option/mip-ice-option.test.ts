import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { internetChecksum } from "../../../../../agent/src/core/checksum.ts";
import type { MipIceCandidate } from "../../../../../agent/src/core/mice/option/mip-ice-candidate.ts";
import { makeCredentials } from "../../../../../agent/src/core/mice/option/mip-ice-credentials.ts";
import {
  decodeMipIce,
  encodeMipIce,
  MISMATCH_ANSWER,
  type MipIceDescription,
} from "../../../../../agent/src/core/mice/option/mip-ice-option.ts";
import { decodeMobilityMessage, encodeMobilityMessage } from "../../../../../agent/src/core/mip6/messages.ts";
import type { MobilityOption } from "../../../../../agent/src/core/mip6/options.ts";
import { fromHex, toHex } from "../../../../vectors/hex.ts";
import {
  ANSWER_OPTION,
  CARE_OF_TEST_ICE,
  CARE_OF_TEST_INIT_ICE,
  HOME_ADDRESS_L,
  HOME_ADDRESS_R,
  L_TO_R,
  OFFER_OPTION,
  R_TO_L,
  UPDATED_OFFER_OPTION,
} from "../../../../vectors/mobility.ts";

const OFFER: MipIceDescription = {
  isLite: false,
  isMismatch: false,
  credentials: { ufrag: "obLD", pwd: "EBESExQVFhcYGRobHB0eHw" },
  options: [],
  candidates: [
    { type: "host", address: { ip: "10.1.0.5", port: 40001 }, priority: 2130706431 },
    {
      type: "server-reflexive",
      address: { ip: "198.51.100.10", port: 61001 },
      priority: 1694498815,
      related: { ip: "10.1.0.5", port: 40001 },
    },
    {
      type: "relayed",
      address: { ip: HOME_ADDRESS_L, port: 40001 },
      priority: 16777215,
      related: { ip: "198.51.100.10", port: 61001 },
    },
  ],
  remoteCandidates: [],
};

const ANSWER: MipIceDescription = {
  ...OFFER,
  credentials: { ufrag: "DQ4P", pwd: "QEFCQ0RFRkdISUpLTE1OTw" },
  candidates: [
    { type: "host", address: { ip: "192.168.2.7", port: 40002 }, priority: 2130706431 },
    {
      type: "server-reflexive",
      address: { ip: "203.0.113.20", port: 62002 },
      priority: 1694498815,
      related: { ip: "192.168.2.7", port: 40002 },
    },
    {
      type: "relayed",
      address: { ip: HOME_ADDRESS_R, port: 40002 },
      priority: 16777215,
      related: { ip: "203.0.113.20", port: 62002 },
    },
  ],
};

const UPDATED_OFFER: MipIceDescription = {
  ...OFFER,
  candidates: OFFER.candidates.slice(1, 2),
  remoteCandidates: [{ ip: "203.0.113.20", port: 62002 }],
};

const VECTORS = [
  { name: "offer", description: OFFER, option: OFFER_OPTION },
  { name: "answer", description: ANSWER, option: ANSWER_OPTION },
  { name: "updated offer", description: UPDATED_OFFER, option: UPDATED_OFFER_OPTION },
];

describe("vectors", () => {
  test.each(VECTORS)("the $name is encoded bit by bit", ({ description, option }) => {
    expect(encodeMipIce(description).map(wholeOption).map(toHex)).toEqual([toHex(option)]);
  });

  test.each(VECTORS)("the $name is decoded", ({ description, option }) => {
    expect(decodeMipIce([asOption(option)])).toEqual({ ok: true, value: { description, skipped: [] } });
  });

  test.each([
    { name: "CoTI-ICE", header: CARE_OF_TEST_INIT_ICE, endpoints: L_TO_R, description: OFFER },
    { name: "CoT-ICE", header: CARE_OF_TEST_ICE, endpoints: R_TO_L, description: ANSWER },
  ])("the $name gives the description back and is made of it again", ({ header, endpoints, description }) => {
    const message = decodeMobilityMessage(header, endpoints);
    if (!message.ok || message.value.type === "unknown") throw new Error("the vector does not decode");
    expect(decodeMipIce(message.value.options)).toEqual({ ok: true, value: { description, skipped: [] } });
    const again = encodeMobilityMessage({ ...message.value, options: encodeMipIce(description) }, endpoints);
    expect(toHex(again)).toBe(toHex(header));
  });
});

describe("several options", () => {
  const fifty = Array.from({ length: 50 }, (_, i) => ipv4Candidate(i));

  test("50 IPv4 candidates are six options and a CoTI-ICE of 1384 octets", () => {
    const description = { ...OFFER, candidates: fifty };
    const options = encodeMipIce(description);
    expect(options.map(({ data }) => data[1])).toEqual([9, 9, 9, 9, 9, 5]);
    const message = { type: "care-of-test-init-ice", careOfInitCookie: new Uint8Array(8), options } as const;
    const header = encodeMobilityMessage(message, L_TO_R);
    expect(header).toHaveLength(1384);
    const received = decodeMobilityMessage(header, L_TO_R);
    expect(received.ok && received.value.type !== "unknown" && decodeMipIce(received.value.options)).toEqual({
      ok: true,
      value: { description, skipped: [] },
    });
  });

  test("an option holds four IPv6 candidates", () => {
    const candidates = Array.from({ length: 9 }, (_, i) => ({
      ...ipv4Candidate(i),
      address: { ip: "2001:db8::1", port: i + 1 },
    }));
    expect(encodeMipIce({ ...OFFER, candidates }).map(({ data }) => data[1])).toEqual([4, 4, 1]);
  });

  test("sixteen options hold 144 candidates, and no more can be encoded", () => {
    const whole = Array.from({ length: 144 }, (_, i) => ipv4Candidate(i));
    expect(encodeMipIce({ ...OFFER, candidates: whole }).map(({ data }) => data[1])).toEqual(Array(16).fill(9));
    const candidates = Array.from({ length: 145 }, (_, i) => ipv4Candidate(i));
    expect(() => encodeMipIce({ ...OFFER, candidates })).toThrow("145 candidates do not fit 16 options");
  });

  const [first, second, third] = encodeMipIce({ ...OFFER, candidates: fifty.slice(0, 20) });
  const [otherCredentials] = encodeMipIce({ ...ANSWER, candidates: fifty.slice(0, 20) });
  const [otherPwd, otherUfrag] = [{ pwd: ANSWER.credentials.pwd }, { ufrag: ANSWER.credentials.ufrag }].map(
    (change) => {
      const credentials = { ...OFFER.credentials, ...change };
      return encodeMipIce({ ...OFFER, credentials, candidates: fifty.slice(0, 20) })[0];
    },
  );
  const [mismatch] = encodeMipIce({ ...OFFER, isMismatch: true, candidates: fifty.slice(0, 20) });
  const [lite] = encodeMipIce({ ...OFFER, isLite: true, candidates: fifty.slice(0, 20) });
  const [ice2] = encodeMipIce({ ...OFFER, options: ["ice2"], candidates: fifty.slice(0, 20) });
  test.each([
    { name: "a missing last one", options: [first, second], code: "mip-ice-segment" },
    { name: "a missing first one", options: [second, third], code: "mip-ice-segment" },
    { name: "a gap", options: [first, third], code: "mip-ice-segment" },
    { name: "a repeated one", options: [first, first, second, third], code: "mip-ice-segment" },
    { name: "the wrong order", options: [second, first, third], code: "mip-ice-segment" },
    { name: "other credentials", options: [otherCredentials, second, third], code: "mip-ice-head" },
    { name: "another password alone", options: [otherPwd, second, third], code: "mip-ice-head" },
    { name: "another fragment alone", options: [otherUfrag, second, third], code: "mip-ice-head" },
    { name: "another M flag", options: [mismatch, second, third], code: "mip-ice-head" },
    { name: "another L flag", options: [lite, second, third], code: "mip-ice-head" },
    { name: "other ice-options", options: [ice2, second, third], code: "mip-ice-head" },
  ])("$name refuses the whole offer", ({ options, code }) => {
    const present = options.filter((option) => option !== undefined);
    expect(decodeMipIce(present)).toMatchObject({ ok: false, error: { code } });
  });

  test("options of other types in between do not matter, and none at all is undefined", () => {
    const foreign: MobilityOption = { type: "opaque", optionType: 8, data: fromHex("01616263") };
    const options = [first, foreign, second, third].filter((option) => option !== undefined);
    expect(decodeMipIce(options).ok).toBe(true);
    expect(decodeMipIce([foreign])).toEqual({ ok: true, value: undefined });
  });

  test("another option number is taken on both ends (A-1)", () => {
    const options = encodeMipIce(OFFER, 77);
    expect(decodeMipIce(options, 77)).toMatchObject({ ok: true, value: { description: OFFER } });
    expect(decodeMipIce(options)).toEqual({ ok: true, value: undefined });
  });
});

describe("faults", () => {
  test("an option cut at any octet is refused", () => {
    for (let length = 2; length < OFFER_OPTION.length; length++)
      expect(decodeMipIce([asOption(OFFER_OPTION.subarray(0, length))]).ok).toBe(false);
  });

  test("any flipped bit is refused, whatever became of the Mobility Header's checksum (A-5)", () => {
    for (let bit = 16; bit < OFFER_OPTION.length * 8; bit++) {
      const damaged = OFFER_OPTION.map((octet, i) => (i === bit >> 3 ? octet ^ (1 << (bit & 7)) : octet));
      expect(decodeMipIce([asOption(damaged)]).ok).toBe(false);
    }
  });

  test.each([
    { name: "# of candidates too large", at: 3, octet: 4, code: "mip-ice-count" },
    { name: "# of candidates too small", at: 3, octet: 2, code: "mip-ice-count" },
    { name: "type 0 (A-13)", at: 30, octet: 0x80, code: "mip-ice-candidate-type" },
    { name: "a candidate longer than the option", at: 77, octet: 0x10, code: "mip-ice-candidate-length" },
    { name: "a candidate without length", at: 30, octet: 0x01, code: "mip-ice-candidate-length" },
    { name: "an IPv4 candidate of another length", at: 30, octet: 0xc1, code: "mip-ice-candidate-length" },
    { name: "ice-options beyond the option", at: 27, octet: 200, code: "mip-ice-truncated" },
    { name: "ice-options that are no tokens", at: 27, octet: 4, code: "mip-ice-options" },
  ])("$name is refused with $code", ({ at, octet, code }) => {
    expect(decodeMipIce([asOption(patched(OFFER_OPTION, { [at]: octet }))])).toMatchObject({
      ok: false,
      error: { code },
    });
  });

  test.each([
    { name: "of an unknown version that ends before its priority", patch: { 28: 0x50, 29: 0x00, 30: 0x81 } },
    { name: "of IPv6 as long as one of IPv4", patch: { 28: 0x60 } },
    { name: "of IPv4 as long as one of IPv6", patch: { 76: 0x40 } },
  ])("a candidate $name refuses the offer", ({ patch }) => {
    expect(decodeMipIce([asOption(patched(OFFER_OPTION, patch))])).toMatchObject({
      ok: false,
      error: { code: "mip-ice-candidate-length" },
    });
  });

  test("an option of zeros is refused", () => {
    expect(decodeMipIce([asOption(Uint8Array.from([18, 26, ...new Uint8Array(26)]))]).ok).toBe(false);
  });

  test.each([
    { reason: "version", patch: { 28: 0x50 }, why: "IP version 5 (A-12)" },
    { reason: "type", patch: { 30: 0x87 }, why: "candidate type 7" },
    { reason: "component", patch: { 31: 2 }, why: "component 2 (A-14)" },
    { reason: "transport", patch: { 32: 6 }, why: "TCP (A-15)" },
    { reason: "address", patch: { 44: 0, 45: 0 }, why: "port 0" },
    { reason: "address", patch: { 40: 0 }, why: "address 0.1.0.5" },
    { reason: "address", patch: { 40: 127 }, why: "a loopback address" },
    { reason: "address", patch: { 40: 224 }, why: "a multicast address" },
    { reason: "address", patch: { 40: 255 }, why: "the broadcast address" },
  ])("a candidate with $why is stepped over and the rest is used", ({ reason, patch }) => {
    expect(decodeMipIce([asOption(patched(OFFER_OPTION, patch))])).toEqual({
      ok: true,
      value: { description: { ...OFFER, candidates: OFFER.candidates.slice(1) }, skipped: [reason] },
    });
  });

  test.each([
    { why: "the unspecified address", octets: "00000000 00000000 00000000 00000000" },
    { why: "the loopback address", octets: "00000000 00000000 00000000 00000001" },
    { why: "a multicast address", octets: "ff020000 00000000 00000000 00000001" },
    { why: "an IPv4-mapped address", octets: "00000000 00000000 0000ffff c0000201" },
  ])("an IPv6 candidate with $why is stepped over and the rest is used", ({ octets }) => {
    const patch = Object.fromEntries([...fromHex(octets)].map((octet, i) => [88 + i, octet]));
    expect(decodeMipIce([asOption(patched(OFFER_OPTION, patch))])).toEqual({
      ok: true,
      value: { description: { ...OFFER, candidates: OFFER.candidates.slice(0, 2) }, skipped: ["address"] },
    });
  });

  test("reserved bits are ignored", () => {
    const option = patched(OFFER_OPTION, { 6: 0x3f, 7: 0xff, 33: 1, 34: 2, 35: 3 });
    expect(decodeMipIce([asOption(option)])).toEqual({ ok: true, value: { description: OFFER, skipped: [] } });
  });

  test("random octets never throw", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 255 }), { maxLength: 3 }), (options) => {
        decodeMipIce(options.map((data) => asOption(withOptionChecksum(Uint8Array.from([18, data.length, ...data])))));
      }),
    );
  });
});

describe("fields", () => {
  test("flags and ice-options survive", () => {
    const description = { ...OFFER, isLite: true, options: ["ice2", "rtp+ecn"] };
    const [option] = encodeMipIce(description);
    expect(option && toHex(wholeOption(option)).slice(12, 16)).toBe("8000");
    expect(option && decodeMipIce([option])).toEqual({ ok: true, value: { description, skipped: [] } });
  });

  test("the mismatch answer sets M and leaves the rest zero (A-20)", () => {
    expect(encodeMipIce(MISMATCH_ANSWER).map(wholeOption).map(toHex)).toEqual([`121a0000ade54000${"00".repeat(20)}`]);
    expect(decodeMipIce(encodeMipIce(MISMATCH_ANSWER))).toMatchObject({
      ok: true,
      value: { description: MISMATCH_ANSWER },
    });
  });

  test("an IPv4 candidate cannot carry an IPv6 relation (A-18)", () => {
    const candidate: MipIceCandidate = { ...ipv4Candidate(1), type: "relayed" };
    const related = { ip: "2001:db8::1", port: 9 };
    expect(decodeMipIce(encodeMipIce({ ...OFFER, candidates: [{ ...candidate, related }] }))).toMatchObject({
      ok: true,
      value: { description: { candidates: [candidate] } },
    });
  });

  test.each([
    { name: "shorter", pwd: "EBESExQV" },
    { name: "longer", pwd: "EBESExQVFhcYGRobHB0eHyAh" },
    { name: "of another alphabet", pwd: "EBESExQVFhcYGRobHB0e_w" },
    { name: "with bits beyond the last octet", pwd: "EBESExQVFhcYGRobHB0eHx" },
  ])("a password $name than base64 of 16 octets has it cannot be encoded", ({ pwd }) => {
    const credentials = { ufrag: "abcd", pwd };
    expect(() => encodeMipIce({ ...OFFER, credentials })).toThrow("base64 text of 16 octets");
  });

  test("ice-options that leave no room cannot be encoded", () => {
    expect(() => encodeMipIce({ ...OFFER, options: ["x".repeat(200)] })).toThrow("leave no room");
    expect(() => encodeMipIce({ ...OFFER, options: ["not a token"] })).not.toThrow();
    expect(() => encodeMipIce({ ...OFFER, options: ["não"] })).toThrow("tokens of ice-chars");
  });

  test("fresh credentials have 4 and 22 ice-chars", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (random) => {
        const { ufrag, pwd } = makeCredentials({ bytes: (length) => random.slice(0, length) });
        expect(ufrag).toMatch(/^[A-Za-z0-9+/]{4}$/);
        expect(pwd).toMatch(/^[A-Za-z0-9+/]{22}$/);
      }),
    );
  });

  test("any offer survives a round trip", () => {
    fc.assert(
      fc.property(anyDescription(), (description) => {
        expect(decodeMipIce(encodeMipIce(description))).toEqual({ ok: true, value: { description, skipped: [] } });
      }),
    );
  });
});

function ipv4Candidate(i: number): MipIceCandidate {
  return { type: "host", address: { ip: `10.0.0.${i + 1}`, port: 40000 + i }, priority: 1000 - i };
}

function asOption(option: Uint8Array): MobilityOption {
  return { type: "opaque", optionType: option[0] ?? 0, data: option.subarray(2) };
}

function wholeOption({ optionType, data }: { optionType: number; data: Uint8Array }): Uint8Array {
  return Uint8Array.from([optionType, data.length, ...data]);
}

function patched(option: Uint8Array, patch: Readonly<Record<number, number>>): Uint8Array {
  return withOptionChecksum(option.map((octet, i) => patch[i] ?? octet));
}

function withOptionChecksum(option: Uint8Array): Uint8Array {
  if (option.length < 6) return option;
  const blank = option.map((octet, i) => (i === 4 || i === 5 ? 0 : octet));
  const checksum = internetChecksum(blank);
  return blank.map((octet, i) => (i === 4 ? checksum >> 8 : i === 5 ? checksum & 0xff : octet));
}

function anyDescription(): fc.Arbitrary<MipIceDescription> {
  const credentials = fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((random) => makeCredentials({ bytes: (length) => random.slice(0, length) }));
  const candidate = fc
    .record({
      type: fc.constantFrom("server-reflexive" as const, "peer-reflexive" as const, "relayed" as const),
      address: anyAddress(),
      priority: fc.integer({ min: 0, max: 0xffff_ffff }),
      related: fc.record({ ip: fc.constantFrom("10.1.2.3", "192.168.0.1"), port: fc.integer({ min: 0, max: 0xffff }) }),
    })
    .map(({ related, ...rest }) => (rest.priority % 2 === 0 ? rest : { ...rest, related }));
  return fc.record({
    isLite: fc.boolean(),
    isMismatch: fc.boolean(),
    credentials,
    options: fc.array(fc.stringMatching(/^[A-Za-z0-9+/]{1,8}$/), { maxLength: 4 }),
    candidates: fc.array(candidate, { maxLength: 40 }),
    remoteCandidates: fc.array(anyAddress(), { maxLength: 2 }),
  });
}

function anyAddress() {
  return fc.record({
    ip: fc.constantFrom("198.51.100.10", "10.1.0.5", "2001:db8:a::100", "fe80::1"),
    port: fc.integer({ min: 1, max: 0xffff }),
  });
}
