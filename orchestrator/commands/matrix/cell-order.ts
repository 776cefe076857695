/** In which order the cells of a matrix run. */

import type { MatrixCell } from "../../topology/matrix/cells.ts";

/** Share of the others after which the last cell that waits begins: it ends with them. */
const WAITING_BEFORE = 0.8;

/**
 * Cells that mostly wait, between cells that mostly work. One without a way waits longest to be sure, one through the home
 * agents two seconds for something better: they must not come last. If they came first they would wait together, while
 * the processors have nothing to do.
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
