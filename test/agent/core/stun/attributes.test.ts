import { describe, expect, test } from "vitest";
import {
  ATTRIBUTE_NUMBERS,
  attributeNumber,
  isComprehensionRequired,
} from "../../../../agent/src/core/stun/attributes.ts";
import { IANA_STUN_ATTRIBUTES } from "../../../vectors/iana-stun.ts";

test("every attribute has the name and the number that IANA registered", () => {
  const named = Object.entries(ATTRIBUTE_NUMBERS).map(([type, number]) => ({ name: type.toUpperCase(), number }));

  expect(named).toEqual(IANA_STUN_ATTRIBUTES);
});

test("attributeNumber gives the number of known and unknown attributes", () => {
  expect(attributeNumber({ type: "use-candidate", value: true })).toBe(0x0025);
  expect(attributeNumber({ type: "unknown", number: 0xc057, value: new Uint8Array(0) })).toBe(0xc057);
});

describe("isComprehensionRequired", () => {
  test.each([
    { number: 0x0000, isRequired: true },
    { number: 0x7fff, isRequired: true },
    { number: 0x8000, isRequired: false },
    { number: 0xffff, isRequired: false },
  ])("is $isRequired for $number", ({ number, isRequired }) => {
    expect(isComprehensionRequired(number)).toBe(isRequired);
  });
});
