/** Compares the cells of a matrix across runtimes. */

import { counted } from "../text-table.ts";
import type { CellResult, MatrixResult } from "./matrix-result.ts";

/** One line for all cells, and one for each whose outcome differs between runtimes; none for a single runtime. */
export function compareRuntimes({ runtimes, cells }: Pick<MatrixResult, "runtimes" | "cells">): readonly string[] {
  if (runtimes.length < 2) return [];
  const compared = sameCells(cells).filter((same) => same.length === runtimes.length);
  const different = compared.filter((same) => new Set(same.map(endOf)).size > 1);
  return [
    `${runtimes.join(" and ")} end alike in ${compared.length - different.length} of ${counted(compared.length, "cell")}`,
    ...different.map(describeDifference),
  ];
}

/** Results by cell, each on every runtime on which it ran. */
function sameCells(cells: readonly CellResult[]): readonly (readonly CellResult[])[] {
  const byCell = new Map<string, CellResult[]>();
  for (const cell of cells) {
    const key = `${cell.mn} ${cell.cn} ${cell.offerer}`;
    byCell.set(key, [...(byCell.get(key) ?? []), cell]);
  }
  return [...byCell.values()];
}

function endOf({ observed, error }: CellResult): string {
  return error === undefined ? (observed ?? "nothing") : "failed";
}

function describeDifference(same: readonly CellResult[]): string {
  const [first] = same;
  const ends = same.map((cell) => `${endOf(cell)} on ${cell.runtime}`);
  return `  ${first?.mn ?? ""} × ${first?.cn ?? ""}, ${first?.offerer ?? ""} offers: ${ends.join(", ")}`;
}
