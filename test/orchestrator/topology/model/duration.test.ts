import { expect, test } from "vitest";
import { DURATION_PATTERN, durationMs } from "../../../../orchestrator/topology/model/duration.ts";

test.each([
  ["400ms", 400],
  ["2s", 2000],
  ["1.5s", 1500],
  ["2m", 120_000],
  ["0s", 0],
])("%s is %i ms", (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});

test.each(["", "5", "5 s", "s", "-1s", "1h", "1.s", "1e3ms"])("%j is no duration", (text) => {
  expect(DURATION_PATTERN.test(text)).toBe(false);
  expect(() => durationMs(text)).toThrow(RangeError);
});
