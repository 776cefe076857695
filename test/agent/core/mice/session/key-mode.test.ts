import { describe, expect, test } from "vitest";
import {
  derivedPassword,
  keyModeOf,
  keyModeOptions,
  signalledCredentials,
} from "../../../../../agent/src/core/mice/session/key-mode.ts";
import { fromHex } from "../../../../vectors/hex.ts";

/** Kbm of RFC 6275, as in the vectors of the Binding Update. */
const KBM = fromHex("82ded5106a977f226761f7f1a6dc6078e39c7b64");
const UFRAGS = { offer: "obLD", answer: "DQ4P" };

describe("passwords from Kbm", () => {
  test("are the same on every run, 22 ice-chars, and another one for each end", () => {
    expect(derivedPassword(KBM, "offer", UFRAGS)).toBe("Ix7wWnKXvivtSVw9OZ+UAQ");
    expect(derivedPassword(KBM, "answer", UFRAGS)).toBe("aJxMn5jY+3Dc6l+Ml6OC/g");
  });

  test("change with either fragment", () => {
    const all = [UFRAGS, { ...UFRAGS, offer: "obLE" }, { ...UFRAGS, answer: "DQ4Q" }];
    expect(new Set(all.map((ufrags) => derivedPassword(KBM, "offer", ufrags))).size).toBe(3);
  });
});

test("an offer tells its mode by an ice-option, beside whatever else is there", () => {
  expect(keyModeOf({ options: keyModeOptions("rr") })).toBe("rr");
  expect(keyModeOf({ options: ["ice2", "rrkeys"] })).toBe("rr");
  expect(keyModeOf({ options: keyModeOptions("signalled") })).toBe("signalled");
});

test("a derived password does not travel", () => {
  const credentials = { ufrag: "obLD", pwd: "EBESExQVFhcYGRobHB0eHw" };
  expect(signalledCredentials("signalled", credentials)).toEqual(credentials);
  expect(signalledCredentials("rr", credentials)).toEqual({ ufrag: "obLD", pwd: "AAAAAAAAAAAAAAAAAAAAAA" });
});
