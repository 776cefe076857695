import { expect, test } from "vitest";
import { ntpElapsedMs, ntpFraction, ntpTimestamp } from "../../../../agent/src/core/mip6/ntp-timestamp.ts";

test("Unix time 0 is 2,208,988,800 s after 1900, and half a second half of the fraction", () => {
  expect(ntpTimestamp(0)).toBe(0x83aa_7e80_0000_0000n);
  expect(ntpTimestamp(1500)).toBe(0x83aa_7e81_8000_0000n);
  expect(ntpTimestamp(0.25)).toBe(0x83aa_7e80_0010_624dn);
});

test("the era of 2036 begins at zero again, and time goes on across it", () => {
  const before = ntpTimestamp(Date.UTC(2036, 1, 7, 6, 28, 15));
  const after = ntpTimestamp(Date.UTC(2036, 1, 7, 6, 28, 16));
  expect([before, after]).toEqual([0xffff_ffff_0000_0000n, 0n]);
  expect([ntpElapsedMs(before, after), ntpElapsedMs(after, before)]).toEqual([1000, -1000]);
});

test("the fraction is the lower half", () => {
  expect(ntpFraction(0x0123_4567_89ab_cdefn)).toBe(0x89ab_cdefn);
});
