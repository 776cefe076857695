/** One run from a resolved topology to its results on disk. */

import { resolve } from "node:path";
import { judgeRun } from "../judge/judge-run.ts";
import { happenedEvents } from "../lab/happened-events.ts";
import type { LabEvent } from "../lab/lab-event.ts";
import { labTimeouts } from "../lab/lab-timeouts.ts";
import { runLab } from "../lab/run-lab.ts";
import { buildPlan } from "../plan/build-plan.ts";
import { planProbes } from "../plan/probe-plan.ts";
import { buildResult } from "../report/build-result.ts";
import type { RunResult } from "../report/run-result.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { TestbedError } from "../support/errors.ts";
import type { ResolvedTopology } from "../topology/model/resolved.ts";
import { predictFlow } from "../topology/predict/predict-flow.ts";
import { predictRun } from "../topology/predict/predict-run.ts";
import { asHappened } from "../topology/resolve/as-happened.ts";
import type { CommandContext } from "./context.ts";
import { newRun } from "./new-run.ts";
import { createResultsDirectory, pointAt } from "./results-directory.ts";
import type { RunOptions } from "./run-options.ts";

export interface RunRequest {
  readonly topology: ResolvedTopology;
  /** The text of the topology file. */
  readonly text: string;
  readonly runtime: Runtime;
  readonly options: RunOptions;
  readonly context: CommandContext;
  /** Start of the run's duration, milliseconds since 1970. */
  readonly startedAt: number;
  readonly onEvent: (event: LabEvent) => void;
}

export interface RunOutcome {
  readonly result: RunResult;
  /** The results directory, as the user would write it. */
  readonly directory: string;
  /** The error that stopped the run, or else its results from being written; the result is there all the same. */
  readonly error: unknown;
}

/**
 * Runs one topology. Results are written while the lab is removed; `result.json` is written last and includes the
 * removal.
 */
export async function runTopology(request: RunRequest): Promise<RunOutcome> {
  const { topology, text, runtime, options, context, startedAt, onEvent } = request;
  const plan = buildPlan(topology, { capture: options.capture });
  const probes = planProbes(topology);
  const predictions = predictRun(topology);
  const identity = newRun(topology.name);
  const results = await createResultsDirectory(options.out, context.directory, identity.runId);
  const loadMs = performance.timeOrigin + performance.now() - startedAt;
  const record = await runLab({
    ...{ runtime, identity, topology, plan, probes, predictions, onEvent },
    signal: context.signal,
    keep: options.keep,
    // A late timeline event extends the timeout.
    timeoutMs: options.timeoutMs + (topology.timeline.at(-1)?.atMs ?? 0),
    timeouts: labTimeouts(options.timeouts),
  });
  const writing = results.writeCapture(plan, record.captures);
  const [removed, captures] = await Promise.all([record.removal, writing, results.writeRecord({ text, plan, record })]);
  const happened = asHappened(topology, happenedEvents(record.events));
  const judged = {
    topology: happened,
    predictions: happened === topology ? predictions : predictRun(happened),
    record,
  };
  const result = buildResult({
    ...{ runId: identity.runId, runtime: runtime.name, ...judged, captures },
    flowPredictions: topology.flows.flatMap((flow) => predictFlow(topology, flow) ?? []),
    judgement: judgeRun(judged),
    ...{ loadMs, durationMs: performance.timeOrigin + performance.now() - startedAt },
    startedAt: new Date(startedAt).toISOString(),
    nodeVersion: process.version,
    leftovers: removed.leftovers,
  });
  await results.writeResult(result, record.events, topology);
  await pointAt(resolve(context.directory, options.out), "latest", identity.runId);
  return { result, directory: results.displayPath, error: record.error ?? results.failure() };
}

const RUN_SCOPED: ReadonlySet<string> = new Set(["node-failed", "host-not-ready", "timed-out", "behaviour-mismatch"]);

/** Whether an error concerns one run only, so that the next may succeed. */
export function isRunScopedError(error: unknown): boolean {
  return error instanceof TestbedError && RUN_SCOPED.has(error.code);
}
