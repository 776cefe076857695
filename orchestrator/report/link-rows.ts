/** What became of the packets of links with a condition, as rows of a table. */

import { describeCondition } from "../topology/describe-link.ts";
import type { LinkResult } from "./run-result.ts";
import type { TextTable } from "./text-table.ts";

/** A header and one row for each direction; undefined where no link has a condition. */
export function linkRows(links: readonly LinkResult[]): TextTable | undefined {
  if (links.length === 0) return undefined;
  return {
    header: ["link", "direction", "condition", "made by", "packets"],
    rows: links.map(({ link, direction, condition, applied, counters }) => [
      link,
      direction,
      describeCondition(condition),
      applied ?? "not reached",
      counters === undefined ? "-" : describeFigures(counters),
    ]),
  };
}

/** `980 delivered, 20 lost`: those two always, and every other count that is not 0. */
export function describeFigures(counters: Readonly<Record<string, number>>): string {
  const { delivered = 0, lost = 0, ...others } = counters;
  const rest = Object.entries(others).filter(([name, count]) => name !== "received" && count > 0);
  return [["delivered", delivered], ["lost", lost], ...rest].map(([name, count]) => `${count} ${name}`).join(", ");
}
