/** A matrix as JUnit XML: one test suite per runtime and order, one test case per cell. */

import { escapeXml } from "../junit.ts";
import { describeSurprise } from "./grid.ts";
import type { CellResult, MatrixResult } from "./matrix-result.ts";

export function renderMatrixJunit(result: MatrixResult): string {
  const slices = result.runtimes.flatMap((runtime) => result.offerers.map((offerer) => ({ runtime, offerer })));
  const suites = slices.map(({ runtime, offerer }) => ({
    name: `matrix on ${runtime}, ${offerer} offers`,
    cells: result.cells.filter((cell) => cell.runtime === runtime && cell.offerer === offerer),
  }));
  const seconds = (result.durationMs / 1000).toFixed(3);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="testbed matrix" ${countsOf(result.cells)} time="${seconds}">`,
    ...suites.flatMap(({ name, cells }) => [
      `  <testsuite name="${escapeXml(name)}" ${countsOf(cells)} skipped="0" timestamp="${result.startedAt}">`,
      ...cells.map((cell) => testCase(name, cell)),
      "  </testsuite>",
    ]),
    "</testsuites>",
    "",
  ].join("\n");
}

function countsOf(cells: readonly CellResult[]): string {
  const failures = cells.filter(({ surprise }) => surprise !== undefined).length;
  const errors = cells.filter(({ error }) => error !== undefined).length;
  return `tests="${cells.length}" failures="${failures}" errors="${errors}"`;
}

function testCase(suite: string, cell: CellResult): string {
  const { mn, cn, predicted, reasons, surprise, error, durationMs } = cell;
  const name = escapeXml(`${mn} × ${cn}: ${predicted}`);
  const open = `    <testcase classname="${escapeXml(suite)}" name="${name}" time="${(durationMs / 1000).toFixed(3)}"`;
  if (error !== undefined) {
    const { code, message } = error;
    return `${open}>\n      <error type="${escapeXml(code)}" message="${escapeXml(message.split("\n")[0] ?? "")}">${escapeXml(message)}</error>\n    </testcase>`;
  }
  if (surprise === undefined) return `${open}/>`;
  const message = escapeXml(describeSurprise(cell));
  return `${open}>\n      <failure message="${message}">${escapeXml(reasons.join("\n"))}</failure>\n    </testcase>`;
}
