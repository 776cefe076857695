/**
 * `testbed matrix`: the middleboxes of the mobile node × those of the correspondent node, prediction beside
 * observation.
 */

import { availableParallelism, release } from "node:os";
import { resolve } from "node:path";
import { labTimeouts } from "../../lab/lab-timeouts.ts";
import { describeSurprise, formatMatrix } from "../../report/matrix/grid.ts";
import { renderMatrixHtml } from "../../report/matrix/html.ts";
import { renderMatrixJunit } from "../../report/matrix/junit.ts";
import {
  type CellResult,
  isRemarkable,
  MATRIX_SCHEMA_VERSION,
  type MatrixResult,
  matrixVerdict,
  summarizeCells,
} from "../../report/matrix/matrix-result.ts";
import { describeProgress } from "../../report/matrix/progress.ts";
import { counted } from "../../report/text-table.ts";
import { poolLabs } from "../../runtime/lab-pool.ts";
import type { RuntimeName } from "../../runtime/runtime-name.ts";
import { displayPath } from "../../support/display-path.ts";
import { TestbedError } from "../../support/errors.ts";
import { newRunId } from "../../support/run-id.ts";
import { OFFERERS, type Offerer } from "../../topology/matrix/cell-topology.ts";
import { type MatrixCell, planCells } from "../../topology/matrix/cells.ts";
import { findMiddleboxes, type MatrixMiddlebox, NINE_BEHAVIOURS } from "../../topology/matrix/matrix-middlebox.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { createRuntime, labsPerProcessor } from "../create-runtime.ts";
import { makeResultsDirectory } from "../make-results-directory.ts";
import { createResultFiles, type ResultFile } from "../result-files.ts";
import { pointAt } from "../results-directory.ts";
import type { MatrixOptions } from "./matrix-options.ts";
import { type MatrixRun, runMatrix } from "./run-matrix.ts";

/**
 * Runs a matrix and writes its results, also those of an interrupted one. Returns 0 when every cell matches its
 * prediction, 1 when one differs or fails. Throws what stopped the whole matrix once the results are written.
 */
export async function matrix(options: MatrixOptions, context: CommandContext): Promise<ExitCode> {
  const startedAt = performance.timeOrigin;
  const axes = chooseMiddleboxes(options);
  const offerers = options.bothOrders ? OFFERERS : OFFERERS.slice(0, 1);
  const cells = planCells({ ...axes, offerers, ...(options.seed === undefined ? {} : { seed: options.seed }) });
  const runId = newRunId("matrix", new Date(startedAt));
  const directory = await makeResultsDirectory(options.out, context.directory, runId);
  const runs = await runOnEach(cells, directory, options, context);
  const result = matrixResult({ runId, startedAt, cells, axes, offerers, runs, options });
  const files = createResultFiles(directory, context.directory);
  await files.write(resultFiles(result));
  await pointAt(resolve(context.directory, options.out), "latest-matrix", runId);
  print(result, displayPath(directory, context.directory), options, context);
  const stopped = runs.find(({ error }) => error !== undefined);
  if (stopped !== undefined) throw stopped.error;
  const failure = files.failure();
  if (failure !== undefined) throw failure;
  context.signal.throwIfAborted();
  return result.verdict === "pass" ? 0 : 1;
}

interface Axes {
  readonly mn: readonly MatrixMiddlebox[];
  readonly cn: readonly MatrixMiddlebox[];
}

/** Throws `bad-usage` for an unknown middlebox. */
function chooseMiddleboxes({ with: both, mn, cn }: MatrixOptions): Axes {
  const find = (names: readonly string[] | undefined): readonly MatrixMiddlebox[] => {
    if (names === undefined) return NINE_BEHAVIOURS;
    const found = findMiddleboxes(names);
    if (found.ok) return found.middleboxes;
    throw new TestbedError("bad-usage", `no NAT or firewall is called ${found.unknown.join(", ")}; ${found.advice}`, {
      hint: "the nine, the presets of topologies/README.md, and none can be given",
    });
  };
  return { mn: find(mn ?? both), cn: find(cn ?? both) };
}

/** A matrix on one runtime, and its number of concurrent labs. */
type RuntimeRun = MatrixRun & { readonly runtime: RuntimeName; readonly jobs: number };

/** One runtime after the other: in parallel they would only slow each other down. */
async function runOnEach(
  cells: readonly MatrixCell[],
  directory: string,
  options: MatrixOptions,
  context: CommandContext,
): Promise<readonly RuntimeRun[]> {
  const runs: RuntimeRun[] = [];
  for (const choice of options.runtime) {
    const opened = await createRuntime(choice, context.say);
    const runtime = options.freshLabs ? opened : poolLabs(opened, context.say);
    const jobs = options.jobs ?? labsPerProcessor(runtime.name) * availableParallelism();
    const onProgress = progressPrinter(runtime.name, context);
    context.say(`${counted(cells.length, "cell")} on ${runtime.name}, ${jobs} at once`);
    try {
      const { signal } = context;
      const { timeoutMs } = options;
      const timeouts = labTimeouts(options.timeouts);
      const run = await runMatrix({ cells, runtime, jobs, timeoutMs, timeouts, signal, directory, onProgress });
      runs.push({ ...run, runtime: runtime.name, jobs });
      if (run.error !== undefined) break;
    } finally {
      await runtime.close();
    }
  }
  return runs;
}

/** Interval of progress lines where a line cannot be replaced. */
const LINE_INTERVAL_MS = 5000;

type OnProgress = Parameters<typeof runMatrix>[0]["onProgress"];

/** Prints remarkable cells at once; progress in one status line, or in a line at intervals where there is none. */
function progressPrinter(runtime: RuntimeName, { say, status, paint }: CommandContext): OnProgress {
  const startedAt = performance.now();
  let lastLineAt = startedAt;
  return (progress, ended) => {
    const now = performance.now();
    const line = `${runtime}: ${describeProgress({ ...progress, elapsedMs: now - startedAt })}`;
    if (ended !== undefined && isRemarkable(ended)) say(paint.bad(announce(ended)));
    if (status !== undefined) status(progress.done === progress.planned ? "" : line);
    else if (now - lastLineAt >= LINE_INTERVAL_MS || progress.done === progress.planned) {
      lastLineAt = now;
      say(line);
    }
  };
}

function announce(cell: CellResult): string {
  const what = cell.error === undefined ? describeSurprise(cell) : `failed: ${cell.error.message.split("\n")[0] ?? ""}`;
  return `${cell.mn} × ${cell.cn}: ${what}`;
}

interface ResultParts {
  readonly runId: string;
  readonly startedAt: number;
  readonly cells: readonly MatrixCell[];
  readonly axes: Axes;
  readonly offerers: readonly Offerer[];
  readonly runs: readonly RuntimeRun[];
  readonly options: MatrixOptions;
}

function matrixResult({ runId, startedAt, cells, axes, offerers, runs, options }: ResultParts): MatrixResult {
  const results = runs.flatMap((run) => run.results);
  const summary = summarizeCells(results, cells.length * options.runtime.length);
  return {
    schema: MATRIX_SCHEMA_VERSION,
    runId,
    startedAt: new Date(startedAt).toISOString(),
    durationMs: performance.timeOrigin + performance.now() - startedAt,
    verdict: matrixVerdict(summary),
    mn: axes.mn.map(({ name }) => name),
    cn: axes.cn.map(({ name }) => name),
    offerers: [...offerers],
    runtimes: runs.map(({ runtime }) => runtime),
    jobs: Math.max(0, ...runs.map(({ jobs }) => jobs)),
    seed: cells[0]?.topology.seed ?? 0,
    summary,
    environment: { kernel: release(), node: process.version },
    cells: results,
  };
}

function resultFiles(result: MatrixResult): readonly ResultFile[] {
  return [
    { name: "matrix.json", content: `${JSON.stringify(result, null, 2)}\n` },
    { name: "junit.xml", content: renderMatrixJunit(result) },
    { name: "matrix.html", content: renderMatrixHtml(result) },
  ];
}

function print(
  result: MatrixResult,
  directory: string,
  { json }: MatrixOptions,
  { print: write, printJson, paint }: CommandContext,
): void {
  if (json) {
    printJson(result);
    return;
  }
  for (const line of formatMatrix(result, directory, paint)) write(line);
  write(`results in ${directory} (matrix.html, matrix.json, junit.xml)`);
}
