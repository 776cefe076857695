import { expect, test } from "vitest";
import { createMessageRate } from "../../../../agent/src/core/mip6/message-rate.ts";

test("three messages of a type may leave within any second", () => {
  const rate = createMessageRate();
  const times = [0, 400, 800, 999, 1000, 1399, 1400, 1799, 1800, 2000];
  expect(times.filter((at) => rate.admits(at, "binding-update"))).toEqual([0, 400, 800, 1000, 1400, 1800, 2000]);
});

test("a message may leave at the instant that is told for it, whatever fractions add up to", () => {
  const rate = createMessageRate();
  // Adding a second and subtracting it again yields less than a second here.
  const at = 16_167.198858910977;
  for (let i = 0; i < 3; i += 1) rate.admits(at, "binding-update");
  expect(rate.admits(rate.opensAt("binding-update"), "binding-update")).toBe(true);
});

test("each type has a count of its own", () => {
  const rate = createMessageRate();
  for (let i = 0; i < 4; i += 1) rate.admits(0, "home-test-init");
  expect(rate.admits(0, "home-test-init")).toBe(false);
  expect(rate.admits(0, "care-of-test-init-ice")).toBe(true);
});
