/** Whether the figures of a bench meet its limit. */

import type { Reach } from "./bench.ts";
import { median, ratios, type Series } from "./measure.ts";

export type Verdict =
  | { readonly type: "reached" | "missed"; readonly ratio: number; readonly reach: Reach }
  | { readonly type: "no-reach"; readonly ratio: number }
  | { readonly type: "not-measured" };

/** The ratio is the median of the ratios of each round: both sides of a round ran right after each other. */
export function judge(reach: Reach | undefined, [product, peer]: readonly Series[]): Verdict {
  if (product === undefined || peer === undefined) return { type: "not-measured" };
  const ratio = median(ratios(product, peer));
  if (!Number.isFinite(ratio)) return { type: "not-measured" };
  if (reach === undefined) return { type: "no-reach", ratio };
  return { type: isWithin(ratio, reach) ? "reached" : "missed", ratio, reach };
}

export function describeVerdict(verdict: Verdict): string {
  switch (verdict.type) {
    case "reached":
      return `${format(verdict.ratio)} ${describeReach(verdict.reach)} reached`;
    case "missed":
      return `${format(verdict.ratio)} ${describeReach(verdict.reach)} MISSED`;
    case "no-reach":
      return format(verdict.ratio);
    case "not-measured":
      return "not measured";
  }
}

export function describeSeries({ name, unit, values, missing }: Series): string {
  if (missing !== undefined) return `${name}: not measured, ${missing}`;
  if (values.length === 0) return `${name}: not measured`;
  return `${name}: ${format(median(values))} ${unit} (${format(Math.min(...values))} to ${format(Math.max(...values))})`;
}

/** Three significant digits. */
export function format(figure: number): string {
  return figure.toPrecision(3).includes("e") ? figure.toFixed(0) : figure.toPrecision(3);
}

function isWithin(ratio: number, reach: Reach): boolean {
  return "most" in reach ? ratio <= reach.most : ratio >= reach.least;
}

function describeReach(reach: Reach): string {
  return "most" in reach ? `≤ ${reach.most}` : `≥ ${reach.least}`;
}
