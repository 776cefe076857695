import { describe, expect, test } from "vitest";
import { NO_FLAGS } from "../../../../agent/src/core/mip6/messages.ts";
import {
  bindingManagementKey,
  careOfKeygenToken,
  encodeAuthorized,
  homeKeygenToken,
  isAuthorized,
  isSequenceNewer,
} from "../../../../agent/src/core/mip6/return-routability.ts";
import { toHex } from "../../../vectors/hex.ts";
import {
  CLASSIC_BINDING_UPDATE,
  HOME_ADDRESS_L,
  HOME_ADDRESS_R,
  ICE_BINDING_ACKNOWLEDGEMENT,
  ICE_BINDING_UPDATE,
  L_TO_R,
  R_TO_L,
  RETURN_ROUTABILITY as RR,
} from "../../../vectors/mobility.ts";

const CLASSIC = { key: RR.bindingKey, careOf: RR.careOfAddress, correspondent: HOME_ADDRESS_R };
const ICE = { key: RR.iceBindingKey, careOf: "198.51.100.10", correspondent: HOME_ADDRESS_R };

describe("keygen tokens and keys", () => {
  test("the home keygen token is that of the vector", () => {
    expect(toHex(homeKeygenToken(RR.nodeKey, HOME_ADDRESS_L, RR.nonce))).toBe(toHex(RR.homeToken));
  });

  test("the care-of keygen token is that of the vector", () => {
    expect(toHex(careOfKeygenToken(RR.nodeKey, RR.careOfAddress, RR.nonce))).toBe(toHex(RR.careOfToken));
  });

  test("a CoTI-ICE gets the care-of keygen token of its home address", () => {
    expect(toHex(careOfKeygenToken(RR.nodeKey, HOME_ADDRESS_L, RR.nonce))).toBe(toHex(RR.iceCareOfToken));
  });

  test("Kbm is made of both tokens, and of the home token alone for a deletion", () => {
    expect(toHex(bindingManagementKey(RR.homeToken, RR.careOfToken))).toBe(toHex(RR.bindingKey));
    expect(toHex(bindingManagementKey(RR.homeToken, RR.iceCareOfToken))).toBe(toHex(RR.iceBindingKey));
    expect(toHex(bindingManagementKey(RR.homeToken))).toBe(toHex(RR.deletionKey));
  });
});

describe("authenticators", () => {
  test("the classic Binding Update is signed bit by bit", () => {
    const options = [{ type: "nonce-indices", home: 1, careOf: 1 }] as const;
    const header = encodeAuthorized(update(1, options), L_TO_R, CLASSIC);
    expect(toHex(header)).toBe(toHex(CLASSIC_BINDING_UPDATE));
  });

  test("the M-ICE Binding Update is signed over the IPv4-mapped care-of address", () => {
    const options = [
      { type: "alternate-care-of-address", address: "198.51.100.10" },
      { type: "nonce-indices", home: 1, careOf: 1 },
    ] as const;
    expect(toHex(encodeAuthorized(update(7, options), L_TO_R, ICE))).toBe(toHex(ICE_BINDING_UPDATE));
  });

  test("the Binding Acknowledgement is signed over the same addresses in the same order", () => {
    const acknowledgement = {
      type: "binding-acknowledgement",
      status: 0,
      keyManagement: false,
      sequence: 7,
      lifetimeSec: 420,
      options: [],
    } as const;
    expect(toHex(encodeAuthorized(acknowledgement, R_TO_L, ICE))).toBe(toHex(ICE_BINDING_ACKNOWLEDGEMENT));
  });

  test.each([
    { name: "classic Binding Update", header: CLASSIC_BINDING_UPDATE, authorization: CLASSIC },
    { name: "M-ICE Binding Update", header: ICE_BINDING_UPDATE, authorization: ICE },
    { name: "M-ICE Binding Acknowledgement", header: ICE_BINDING_ACKNOWLEDGEMENT, authorization: ICE },
  ])("the $name is accepted, and refused with another key, care-of address or octet", ({ header, authorization }) => {
    expect(isAuthorized(header, authorization)).toBe(true);
    expect(isAuthorized(header, { ...authorization, key: RR.deletionKey })).toBe(false);
    expect(isAuthorized(header, { ...authorization, careOf: "198.51.100.11" })).toBe(false);
    expect(isAuthorized(header, { ...authorization, correspondent: HOME_ADDRESS_L })).toBe(false);
    for (const at of [6, 9, 11, header.length - 1]) {
      const damaged = header.map((octet, i) => (i === at ? octet ^ 1 : octet));
      expect(isAuthorized(damaged, authorization)).toBe(false);
    }
  });

  test("a message too short for an authenticator, or without one, is refused", () => {
    for (let length = 0; length < ICE_BINDING_UPDATE.length; length++)
      expect(isAuthorized(ICE_BINDING_UPDATE.subarray(0, length), ICE)).toBe(false);
  });
});

test.each([
  { sequence: 16, last: 15, newer: true },
  { sequence: 15, last: 15, newer: false },
  { sequence: 32_782, last: 15, newer: true },
  { sequence: 32_783, last: 15, newer: false },
  { sequence: 0, last: 0xffff, newer: true },
  { sequence: 0xffff, last: 0, newer: false },
  { sequence: 32_766, last: 0xffff, newer: true },
])("sequence $sequence after $last is newer: $newer", ({ sequence, last, newer }) => {
  expect(isSequenceNewer(sequence, last)).toBe(newer);
});

function update(sequence: number, options: Parameters<typeof encodeAuthorized>[0]["options"]) {
  const flags = { ...NO_FLAGS, acknowledge: true };
  return { type: "binding-update", sequence, flags, lifetimeSec: 420, options } as const;
}
