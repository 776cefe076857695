import { expect, test } from "vitest";
import { createSharedBudget } from "../../../agent/src/core/shared-budget.ts";

const LIMITS = { perSource: { perSec: 10, atOnce: 3 }, overall: { perSec: 20, atOnce: 5 } };

function taken(budget: ReturnType<typeof createSharedBudget>, now: number, source: string, count: number): number {
  return Array.from({ length: count }, () => budget.take(now, source)).filter(Boolean).length;
}

test("a source has its burst, and then its rate; idle time beyond the burst is not saved", () => {
  const budget = createSharedBudget(LIMITS);
  expect([taken(budget, 0, "a", 10), taken(budget, 99, "a", 10), taken(budget, 100, "a", 10)]).toEqual([3, 0, 1]);
  expect(taken(budget, 60_000, "a", 10)).toBe(3);
});

test("asking takes nothing, and tells what taking would", () => {
  const budget = createSharedBudget(LIMITS);
  expect([budget.has(0, "a"), budget.has(0, "a")]).toEqual([true, true]);
  taken(budget, 0, "a", 3);
  expect([budget.has(0, "a"), budget.has(0, "b"), budget.has(100, "a")]).toEqual([false, true, true]);
  taken(budget, 100, "b", 10);
  expect(budget.has(100, "c")).toBe(budget.take(100, "c"));
});

test("a source that has nothing left takes nothing from the others", () => {
  const budget = createSharedBudget(LIMITS);
  taken(budget, 0, "a", 1000);
  expect(taken(budget, 0, "b", 10)).toBe(2);
});
