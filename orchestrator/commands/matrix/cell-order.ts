/** The order in which the cells of a matrix run. */

import type { MatrixCell } from "../../topology/matrix/cells.ts";

/** Share of the other cells after which the last waiting cell starts, so that it ends with them. */
const WAITING_BEFORE = 0.8;

/**
 * Spreads cells that mostly wait among cells that mostly work. A cell without a path waits longest to be sure, one
 * through the home agents two seconds for a better pair, so they must not run last. If they ran first they would wait
 * together with the processors idle.
 */
export function orderCells(cells: readonly MatrixCell[]): readonly MatrixCell[] {
  const waiting = [
    ...cells.filter(({ prediction }) => prediction.path === "none"),
    ...cells.filter(({ prediction }) => prediction.path === "home-agents"),
  ];
  const working = cells.filter(({ prediction }) => prediction.path === "direct");
  const placed = [
    ...waiting.map((cell, i) => ({ cell, place: (WAITING_BEFORE * i) / waiting.length })),
    ...working.map((cell, i) => ({ cell, place: (i + 0.5) / working.length })),
  ];
  return placed.toSorted((a, b) => a.place - b.place).map(({ cell }) => cell);
}
