import { expect, test } from "vitest";
import { orderCells } from "../../../../orchestrator/commands/matrix/cell-order.ts";
import { planCells } from "../../../../orchestrator/topology/matrix/cells.ts";
import { MATRIX_MIDDLEBOXES, NINE_BEHAVIOURS } from "../../../../orchestrator/topology/matrix/matrix-middlebox.ts";

const nine = planCells({ mn: NINE_BEHAVIOURS, cn: NINE_BEHAVIOURS, offerers: ["mn"] });
const all = planCells({ mn: MATRIX_MIDDLEBOXES, cn: MATRIX_MIDDLEBOXES, offerers: ["mn"] });

test("every cell runs once", () => {
  expect(new Set(orderCells(all))).toEqual(new Set(all));
  expect(orderCells(all)).toHaveLength(all.length);
});

test("cells that wait are spread among cells that work, and none is among the last", () => {
  const waits = orderCells(nine).map(({ prediction }) => prediction.path !== "direct");
  expect(waits.filter(Boolean)).toHaveLength(24);
  expect(waits[0]).toBe(true);
  for (let from = 0; from + 12 <= 60; from += 12)
    expect(waits.slice(from, from + 12).filter(Boolean).length).toBeLessThanOrEqual(6);
  expect(waits.slice(-12)).not.toContain(true);
});

test("cells without a way, which wait longest, come before those through the home agents", () => {
  const paths = orderCells(all).map(({ prediction }) => prediction.path);
  expect(paths).toContain("none");
  expect(paths.lastIndexOf("none")).toBeLessThan(paths.indexOf("home-agents"));
});

test("cells that all wait keep their order", () => {
  const waiting = nine.filter(({ prediction }) => prediction.path === "home-agents");
  expect(orderCells(waiting)).toEqual(waiting);
});
