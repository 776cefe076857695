import { expect, test } from "vitest";
import { derivedHex, derivedNumber, derivedSequence } from "../../../../orchestrator/topology/resolve/seed.ts";

test("the same seed and label give the same numbers, on every machine", () => {
  expect(derivedHex(7, "node/mn", 8)).toMatchInlineSnapshot(`"faf035616d5cc0be"`);
  expect(derivedNumber(7, "nat-a/ports")).toMatchInlineSnapshot(`3534715422`);
});

test("seeds and labels that differ little give unrelated numbers", () => {
  const labels = [0, 1, 2, 3].flatMap((seed) => ["a", "b", "ab", "ba", ""].map((label) => derivedHex(seed, label, 16)));
  expect(new Set(labels).size).toBe(labels.length);
});

test("the bits of a sequence are balanced", () => {
  const next = derivedSequence(1, "bits");
  const ones = Array.from({ length: 1000 }, next).map((word) => word.toString(2).replaceAll("0", "").length);
  expect(ones.reduce((a, b) => a + b, 0) / 32000).toBeCloseTo(0.5, 1);
});
