import { expect, test } from "vitest";
import { createMessageRate } from "../../../../agent/src/core/mip6/message-rate.ts";

test("three messages of a type may leave within any second", () => {
  const rate = createMessageRate();
  const times = [0, 400, 800, 999, 1000, 1399, 1400, 1799, 1800, 2000];
  expect(times.filter((at) => rate.admits(at, "binding-update"))).toEqual([0, 400, 800, 1000, 1400, 1800, 2000]);
});

test("each type has a count of its own", () => {
  const rate = createMessageRate();
  for (let i = 0; i < 4; i += 1) rate.admits(0, "home-test-init");
  expect(rate.admits(0, "home-test-init")).toBe(false);
  expect(rate.admits(0, "care-of-test-init-ice")).toBe(true);
});
