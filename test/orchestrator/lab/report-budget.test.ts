import { expect, test } from "vitest";
import { createReportBudget } from "../../../orchestrator/lab/report-budget.ts";

const LIMITS = { count: 10, countPerSec: 4, octets: 1000 };

test("reports within the limits are counted and nothing is said", () => {
  const budget = createReportBudget(LIMITS);
  for (let i = 0; i < 10; i += 1) expect(budget.take(300 * i, 100)).toBeUndefined();
  expect(budget.take(3000, 0)).toBe("it reported more than 10 events");
});

test("too many within a second are too many, whatever their number", () => {
  const budget = createReportBudget(LIMITS);
  const said = [0, 10, 20, 30, 40].map((nowMs) => budget.take(nowMs, 1));
  expect(said).toEqual([undefined, undefined, undefined, undefined, "it reported more than 4 events within a second"]);
});

test("a few large ones are too many octets", () => {
  const budget = createReportBudget(LIMITS);
  expect(budget.take(0, 600)).toBeUndefined();
  expect(budget.take(1000, 600)).toBe("its events came to more than 1000 octets");
});
