import { expect, test } from "vitest";
import { createOfferRate } from "../../../../../agent/src/core/mice/offer/offer-rate.ts";

const LIMITS = { perNetwork: { perSec: 10, atOnce: 3 }, overall: { perSec: 20, atOnce: 5 } };

/** How many of `count` offers from different addresses of a network are admitted at an instant. */
function admitted(rate: ReturnType<typeof createOfferRate>, now: number, network: string, count: number): number {
  return Array.from({ length: count }, (_, i) => rate.admits(now, `${network}::${i + 1}`)).filter(Boolean).length;
}

test("the addresses of one /64 share what their network may begin at once and per second", () => {
  const rate = createOfferRate(LIMITS);
  expect(admitted(rate, 0, "2001:db8:a", 10)).toBe(3);
  expect(admitted(rate, 99, "2001:db8:a", 10)).toBe(0);
  expect(admitted(rate, 200, "2001:db8:a", 10)).toBe(2);
  expect(admitted(rate, 60_000, "2001:db8:a", 10)).toBe(3);
});

test("a network that has used its share up takes nothing from another one", () => {
  const rate = createOfferRate(LIMITS);
  admitted(rate, 0, "2001:db8:a", 1000);
  expect(admitted(rate, 0, "2001:db8:b", 10)).toBe(2);
  expect(admitted(rate, 1000, "2001:db8:b", 10)).toBe(3);
});

test("all networks together are held to the overall limit", () => {
  const rate = createOfferRate(LIMITS);
  const networks = Array.from({ length: 1000 }, (_, i) => `2001:db8:${i.toString(16)}`);
  const begun = (now: number): number => networks.reduce((sum, network) => sum + admitted(rate, now, network, 1), 0);
  expect([begun(0), begun(100), begun(10_000)]).toEqual([5, 2, 5]);
});
