/** The table that `npm run bench` prints: the ratio first, absolute figures after it. */

import type { Series } from "./measure.ts";
import { describeSeries, describeVerdict, type Verdict } from "./verdict.ts";

const COLUMNS = [24, 15] as const;

export const HEADER: readonly string[] = [row("ratio, reach", "bench", "figures: median (least to most)")];

export function formatRow(name: string, verdict: Verdict, series: readonly Series[]): readonly string[] {
  const [first = "", ...others] = series.map(describeSeries);
  return [row(describeVerdict(verdict), name, first), ...others.map((text) => row("", "", text))];
}

/** A bench that ended with an error; `reason` is its first line. */
export function formatFailure(name: string, reason: string): readonly string[] {
  return [row("not measured", name, reason)];
}

function row(ratio: string, name: string, text: string): string {
  return `${ratio.padEnd(COLUMNS[0])}${name.padEnd(COLUMNS[1])}${text}`;
}
