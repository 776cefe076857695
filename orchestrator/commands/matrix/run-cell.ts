/** Runs one cell of a matrix, and keeps its results if they are remarkable. */

import { judgeRun } from "../../judge/judge-run.ts";
import type { SessionObservation } from "../../judge/session-observation.ts";
import type { LabRecord } from "../../lab/lab-record.ts";
import type { LabTimeouts } from "../../lab/lab-timeouts.ts";
import { runLab } from "../../lab/run-lab.ts";
import { buildPlan } from "../../plan/build-plan.ts";
import type { Plan } from "../../plan/plan.ts";
import { planProbes } from "../../plan/probe-plan.ts";
import { buildResult } from "../../report/build-result.ts";
import { type CellResult, isRemarkable, surpriseOf } from "../../report/matrix/matrix-result.ts";
import type { RunResult } from "../../report/run-result.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { MatrixCell } from "../../topology/matrix/cells.ts";
import { newRun } from "../new-run.ts";
import { createResultsDirectory } from "../results-directory.ts";

export interface CellRequest {
  readonly cell: MatrixCell;
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly timeouts: LabTimeouts;
  /** The matrix's directory: remarkable cells keep their results in it. */
  readonly directory: string;
}

export interface CellOutcome {
  readonly result: CellResult;
  /** The error that stopped the run. */
  readonly error: unknown;
}

/** Runs a cell to its end; an error that stopped it is part of the outcome. */
export async function runCell(request: CellRequest): Promise<CellOutcome> {
  const { cell, runtime, signal, timeoutMs, timeouts } = request;
  const { topology } = cell;
  const predictions = [cell.prediction];
  const startedAt = performance.timeOrigin + performance.now();
  const plan = buildPlan(topology, { capture: false });
  const identity = newRun(topology.name);
  const record = await runLab({
    ...{ runtime, identity, topology, plan, probes: planProbes(topology), predictions },
    ...{ signal, timeoutMs, timeouts, keep: false, onEvent: () => undefined },
  });
  const { leftovers } = await record.removal;
  const judgement = judgeRun({ topology, predictions, record });
  const run = buildResult({
    ...{ runId: identity.runId, runtime: runtime.name, topology, predictions, record, judgement, leftovers },
    flowPredictions: [],
    ...{ loadMs: 0, durationMs: performance.timeOrigin + performance.now() - startedAt },
    startedAt: new Date(startedAt).toISOString(),
    nodeVersion: process.version,
    captures: [],
  });
  const result = cellResult(cell, run, judgement.observations[0]);
  if (!isRemarkable(result) || signal.aborted) return { result, error: record.error };
  const results = directoryName(result);
  const failure = await keepResults(request, results, { run, plan, record });
  if (failure !== undefined) return { result, error: record.error ?? failure };
  return { result: { ...result, results }, error: record.error };
}

/** Why they could not be kept, if so. */
async function keepResults(
  { cell, directory }: CellRequest,
  name: string,
  { run, plan, record }: { readonly run: RunResult; readonly plan: Plan; readonly record: LabRecord },
): Promise<unknown> {
  try {
    const kept = await createResultsDirectory(directory, directory, name);
    await kept.writeRecord({ text: cell.text, plan, record });
    await kept.writeResult(run, record.events, cell.topology);
    return kept.failure();
  } catch (error) {
    return error;
  }
}

function cellResult(
  { mn, cn, offerer, prediction }: MatrixCell,
  { runId, runtime, durationMs, error }: RunResult,
  observation: SessionObservation | undefined,
): CellResult {
  const { path: predicted, selected: predictedPair, why } = prediction;
  const seen = error === undefined && observation !== undefined ? observed(observation) : {};
  const pair = predictedPair === undefined ? {} : { predictedPair: [...predictedPair] as [...typeof predictedPair] };
  const surprise = surpriseOf({ predicted, ...seen });
  return {
    ...{ mn, cn, offerer, runtime, predicted, ...pair },
    reasons: [...why],
    ...seen,
    ...(surprise === undefined ? {} : { surprise }),
    ...{ durationMs, runId },
    ...(error === undefined ? {} : { error }),
  };
}

function observed({ path, selected, nominatedAfterMs }: SessionObservation): Partial<CellResult> {
  return {
    observed: path,
    ...(selected === undefined ? {} : { observedPair: [selected.local.type, selected.remote.type] }),
    ...(nominatedAfterMs === undefined ? {} : { nominatedAfterMs }),
  };
}

/** `cells/netns-mn-eim-eif-x-symmetric`: unique within a matrix. */
function directoryName({ runtime, offerer, mn, cn }: CellResult): string {
  return `cells/${runtime}-${offerer}-${mn}-x-${cn}`;
}
