/** Plain text for terminals: aligned columns, counts with nouns. */

/** Rows under their header, all of the same length. */
export interface TextTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One line per row; cells are padded to the widest of their column, except in the last column. */
export function formatColumns(rows: readonly (readonly string[])[], gap = "  "): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join(gap)
      .trimEnd(),
  );
}

/** `1 node`, `2 nodes` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
