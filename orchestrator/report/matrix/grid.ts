/** A matrix for the terminal: rows are the mobile node's middleboxes, columns those of the correspondent node. */

import { formatMs } from "../format-ms.ts";
import type { Paint } from "../table.ts";
import { counted } from "../text-table.ts";
import { type CellResult, isOverOtherPair, isRemarkable, type MatrixResult } from "./matrix-result.ts";
import { compareRuntimes } from "./runtime-comparison.ts";

/** One grid per runtime and order, then the surprises, then the summary; `directory` holds the results. */
export function formatMatrix(result: MatrixResult, directory: string, paint: Paint): readonly string[] {
  const grids = result.runtimes.flatMap((runtime) => result.offerers.map((offerer) => ({ runtime, offerer })));
  return [
    ...grids.flatMap(({ runtime, offerer }) => ["", ...formatGrid(result, { runtime, offerer }, paint)]),
    "",
    ...LEGEND.map(paint.faint),
    ...result.cells.filter(isRemarkable).flatMap((cell) => ["", ...explainCell(cell, directory, paint)]),
    "",
    ...compareRuntimes(result),
    formatVerdict(result, paint),
  ];
}

/** Letters in the grid. */
const LETTER: Readonly<Record<CellResult["predicted"], string>> = { direct: "D", "home-agents": "H", none: "N" };

const SURPRISE_MARK = { better: "▲", worse: "▼" } as const;
const OTHER_PAIR_MARK = "≠";
const FAILED_MARK = "!";

const LEGEND = [
  "predicted/observed and ms from offer to nomination: D direct, H through the home agents, N no way, - no nomination",
  "▲ better and ▼ worse than predicted, ≠ as predicted over another pair than the best, ! failed, blank not run",
];

type Slice = Pick<CellResult, "runtime" | "offerer">;

function formatGrid(result: MatrixResult, slice: Slice, paint: Paint): readonly string[] {
  const { mn: rows, cn: columns } = result;
  const at = (mn: string, cn: string): CellResult | undefined =>
    result.cells.find((cell) => cell.mn === mn && cell.cn === cn && isOf(cell, slice));
  const lines = rows.map((mn) => columns.map((cn) => at(mn, cn)));
  const labelWidth = Math.max(CORNER.length, ...rows.map((name) => name.length));
  const widths = columns.map((name, i) => Math.max(name.length, ...lines.map((line) => formatCell(line[i]).length)));
  const header = [CORNER.padEnd(labelWidth), ...columns.map((name, i) => name.padStart(widths[i] ?? 0))];
  return [
    paint.strong(`${slice.runtime}, ${slice.offerer} makes the offer`),
    paint.faint(header.join("  ")),
    ...lines.map((line, row) => {
      const cells = line.map((cell, i) => paintCell(cell, formatCell(cell).padStart(widths[i] ?? 0), paint));
      return [paint.faint((rows[row] ?? "").padEnd(labelWidth)), ...cells].join("  ").trimEnd();
    }),
  ];
}

const CORNER = "mn \\ cn";

function isOf(cell: CellResult, { runtime, offerer }: Slice): boolean {
  return cell.runtime === runtime && cell.offerer === offerer;
}

/** `D/D 84`, `▼D/H 2051`, `D/!` */
function formatCell(cell: CellResult | undefined): string {
  if (cell === undefined) return "";
  const { predicted, observed, surprise, nominatedAfterMs, error } = cell;
  if (error !== undefined) return `${LETTER[predicted]}/${FAILED_MARK}`;
  const mark = surprise === undefined ? (isOverOtherPair(cell) ? OTHER_PAIR_MARK : "") : SURPRISE_MARK[surprise];
  const ms = nominatedAfterMs === undefined ? "-" : nominatedAfterMs.toFixed(0);
  return `${mark}${LETTER[predicted]}/${observed === undefined ? "-" : LETTER[observed]} ${ms}`;
}

function paintCell(cell: CellResult | undefined, text: string, paint: Paint): string {
  if (cell === undefined) return text;
  if (isRemarkable(cell)) return paint.bad(text);
  return cell.observed === "direct" ? paint.good(text) : text;
}

/** What differed in one cell, the reason for the prediction, and where its results are. */
function explainCell(cell: CellResult, directory: string, paint: Paint): readonly string[] {
  const { mn, cn, offerer, runtime, reasons, error, results } = cell;
  const what = error === undefined ? describeSurprise(cell) : `failed: ${error.message}`;
  return [
    `${paint.bad(`${mn} × ${cn}`)} on ${runtime}, ${offerer} offers: ${what}`,
    ...reasons.map((reason) => paint.faint(`  predicted: ${reason}`)),
    ...(error?.hint === undefined ? [] : [`  → ${error.hint}`]),
    ...(results === undefined ? [] : keptResults(`${directory}/${results}`)),
  ];
}

function keptResults(path: string): readonly string[] {
  return [`  results in ${path}`, `  again, with packets: npm run testbed ${path}/topology.yaml`];
}

/** `worse than predicted: home-agents after 2.05 s in place of direct` */
export function describeSurprise({ predicted, observed, nominatedAfterMs, surprise }: CellResult): string {
  const after = nominatedAfterMs === undefined ? "" : ` after ${formatMs(nominatedAfterMs)}`;
  const path = `${observed ?? "nothing"}${after}`;
  return surprise === undefined
    ? `as predicted: ${path}`
    : `${surprise} than predicted: ${path} in place of ${predicted}`;
}

function formatVerdict(result: MatrixResult, paint: Paint): string {
  const { verdict, summary, durationMs } = result;
  const colour = verdict === "pass" ? paint.good : paint.bad;
  return `${colour(verdict)}  ${describeSummary(summary)}  ${paint.faint(`in ${formatMs(durationMs)}${describeTimes(result)}`)}`;
}

/** `81 cells: 80 as predicted, 1 worse` */
export function describeSummary(summary: MatrixResult["summary"]): string {
  const { planned, asPredicted, otherPair, better, worse, failed, notRun } = summary;
  const rest = [
    [better, "better"],
    [worse, "worse"],
    [failed, "failed"],
    [notRun, "not run"],
  ] as const;
  const parts = rest.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  const others = otherPair === 0 ? "" : ` (${otherPair} over another pair)`;
  return `${counted(planned, "cell")}: ${[`${asPredicted} as predicted${others}`, ...parts].join(", ")}`;
}

/** `; nominated directly after 84 ms (median), 120 ms (95 %)` */
function describeTimes({ cells }: MatrixResult): string {
  const times = cells
    .filter(({ observed }) => observed === "direct")
    .flatMap(({ nominatedAfterMs }) => (nominatedAfterMs === undefined ? [] : [nominatedAfterMs]))
    .sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0;
  if (times.length === 0) return "";
  return `; direct paths nominated after ${formatMs(at(0.5))} (median), ${formatMs(at(0.95))} (95 %)`;
}
