/** Runs the cells of a matrix, several at once. */

import { setMaxListeners } from "node:events";
import type { LabTimeouts } from "../../lab/lab-timeouts.ts";
import { type CellResult, isRemarkable } from "../../report/matrix/matrix-result.ts";
import type { MatrixProgress } from "../../report/matrix/progress.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { inParallel } from "../../support/in-parallel.ts";
import type { MatrixCell } from "../../topology/matrix/cells.ts";
import { isRunScopedError } from "../run-topology.ts";
import { orderCells } from "./cell-order.ts";
import { runCell } from "./run-cell.ts";

export interface MatrixRequest {
  readonly cells: readonly MatrixCell[];
  readonly runtime: Runtime;
  /** Concurrent labs. */
  readonly jobs: number;
  /** Per cell, and per step of a cell. */
  readonly timeoutMs: number;
  readonly timeouts: LabTimeouts;
  readonly signal: AbortSignal;
  /** The matrix's directory: remarkable cells keep their results in it. */
  readonly directory: string;
  readonly onProgress: (progress: Omit<MatrixProgress, "elapsedMs">, ended?: CellResult) => void;
}

/** The outcome of a matrix on one runtime. */
export interface MatrixRun {
  /** In the order of the cells; only those that ran. */
  readonly results: readonly CellResult[];
  /** Why no further cell was started: an error that would have stopped every other one too. */
  readonly error: unknown;
}

/** Runs cells until all are done, the signal aborts, or a cell fails for a reason that affects all of them. */
export async function runMatrix(request: MatrixRequest): Promise<MatrixRun> {
  const { cells, jobs, signal, onProgress } = request;
  const results = new Map<MatrixCell, CellResult>();
  // Every lab adds a listener.
  setMaxListeners(0, signal);
  const ending = new AbortController();
  let running = 0;
  const progress = (): Omit<MatrixProgress, "elapsedMs"> => {
    const remarkable = [...results.values()].filter(isRemarkable).length;
    return { planned: cells.length, running, done: results.size, remarkable };
  };
  const work = async (cell: MatrixCell): Promise<void> => {
    running += 1;
    onProgress(progress());
    const { result, error } = await runCell({ ...request, cell });
    running -= 1;
    if (signal.aborted) return;
    results.set(cell, result);
    onProgress(progress(), result);
    if (error !== undefined && !isRunScopedError(error)) ending.abort(error);
  };
  const over = AbortSignal.any([signal, ending.signal]);
  await inParallel(orderCells(cells), jobs, over, work);
  return { results: cells.flatMap((cell) => results.get(cell) ?? []), error: over.aborted ? over.reason : undefined };
}
