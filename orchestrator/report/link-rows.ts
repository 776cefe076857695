/** The impairments of links over time, and their packet counters, as table rows. */

import { describeImpairment } from "../topology/describe/describe-link.ts";
import type { LinkResult, RunResult } from "./run-result.ts";
import { timeInRun } from "./run-time.ts";
import type { TextTable } from "./text-table.ts";

/** A header, and for each direction a row per impairment that it had; undefined where no link is impaired. */
export function linkRows(result: Pick<RunResult, "links" | "timeline" | "phasesMs">): TextTable | undefined {
  const { links, timeline } = result;
  if (links.length === 0) return undefined;
  const from = new Map(timeline.map(({ event, atMs }) => [event, `${event}, at ${timeInRun(result, atMs)}`]));
  return {
    header: ["link", "direction", "from", "impairment", "made by", "packets of the whole run"],
    rows: links.flatMap((link) => directionRows(link, from)),
  };
}

function directionRows(
  { link, direction, impairment, changes, applied, counters }: LinkResult,
  from: ReadonlyMap<string, string>,
): TextTable["rows"] {
  const packets = counters === undefined ? "-" : describeFigures(counters);
  return [
    [link, direction, "the start", describeImpairment(impairment), applied ?? "not reached", packets],
    ...changes.map((change) => [
      "",
      "",
      from.get(change.event) ?? change.event,
      describeImpairment(change.impairment),
      "",
      "",
    ]),
  ];
}

/** `980 delivered, 20 lost`: those two always, any other counter if it is not 0. */
export function describeFigures(counters: Readonly<Record<string, number>>): string {
  const { delivered = 0, lost = 0, ...others } = counters;
  const rest = Object.entries(others).filter(([name, count]) => name !== "received" && count > 0);
  return [["delivered", delivered], ["lost", lost], ...rest].map(([name, count]) => `${count} ${name}`).join(", ");
}
