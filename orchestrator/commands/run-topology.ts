/** One run from a resolved topology to its results on disk. */

import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { observeEffects } from "../lab/event-effect.ts";
import { judgeEffects, judgeExpectations } from "../lab/expectation.ts";
import type { LabEvent } from "../lab/lab-event.ts";
import { describeError, type HostRecord, type LabRecord, runLab } from "../lab/run-lab.ts";
import { observeSessions } from "../lab/session-observation.ts";
import { buildPlan } from "../plan/build-plan.ts";
import { planProbes } from "../plan/probe-plan.ts";
import { buildResult } from "../report/build-result.ts";
import type { RunResult } from "../report/run-result.ts";
import type { DestroyReport, RunIdentity, Runtime } from "../runtime/runtime.ts";
import { TestbedError } from "../support/errors.ts";
import { currentProcess } from "../support/process-identity.ts";
import type { PathName, ResolvedTopology } from "../topology/model/resolved.ts";
import { type Prediction, predictRun } from "../topology/predict/predict.ts";
import type { CommandContext } from "./context.ts";
import { createResultsDirectory, pointAt } from "./results-directory.ts";
import type { RunOptions } from "./run-options.ts";

export interface RunRequest {
  readonly topology: ResolvedTopology;
  /** The topology file as it was read. */
  readonly text: string;
  readonly runtime: Runtime;
  readonly options: RunOptions;
  readonly context: CommandContext;
  /** Milliseconds since 1970 from which the run's duration counts. */
  readonly startedAt: number;
  readonly onEvent: (event: LabEvent) => void;
}

export interface RunOutcome {
  readonly result: RunResult;
  /** Where the results are, as the user would write it. */
  readonly directory: string;
  /** What stopped the run; its results are written all the same. */
  readonly error: unknown;
}

/** Runs one topology. Results are written while the lab is removed; `result.json` comes last and says so. */
export async function runTopology(request: RunRequest): Promise<RunOutcome> {
  const { topology, text, runtime, options, context, startedAt, onEvent } = request;
  const plan = buildPlan(topology, { capture: options.capture });
  const probes = planProbes(topology);
  const predictions = predictRun(topology);
  const identity = { runId: newRunId(topology.name, new Date()), topology: topology.name, owner: currentProcess() };
  const results = await createResultsDirectory(options.out, context.directory, identity.runId);
  const loadMs = performance.timeOrigin + performance.now() - startedAt;
  const { signal } = context;
  const { keep } = options;
  // What is to happen late is no reason to give up on it.
  const timeoutMs = options.timeoutMs + (plan.timeline.at(-1)?.atMs ?? 0);
  const record = await runLab({ runtime, identity, topology, plan, probes, signal, timeoutMs, keep, onEvent });
  const captures = results.writeCapture(plan, record.captures);
  const [removed] = await Promise.all([record.removal, results.writeRecord({ text, plan, record }), captures]);
  const result = resultOf({ request, identity, predictions, record, removed, loadMs, captures: await captures });
  await results.writeResult(result, record.events, topology);
  await pointAt(resolve(context.directory, options.out), "latest", identity.runId);
  return { result, directory: results.displayPath, error: record.error };
}

export interface ResultInputs {
  readonly request: Pick<RunRequest, "topology" | "runtime" | "startedAt">;
  readonly identity: RunIdentity;
  readonly predictions: readonly Prediction[];
  readonly record: LabRecord;
  readonly removed: DestroyReport;
  readonly loadMs: number;
  readonly captures: RunResult["captures"];
}

/** The result of a run that is over. */
export function resultOf({
  request,
  identity,
  predictions,
  record,
  removed,
  loadMs,
  captures,
}: ResultInputs): RunResult {
  const { topology, runtime, startedAt } = request;
  const observations = observeSessions(topology.sessions, topology.nodes, record.events);
  const effects = observeEffects(topology.sessions, topology.nodes, record.events);
  const setUp = predictions.filter(({ after }) => after === undefined);
  const predictedPaths = new Map(setUp.map(({ session, path }) => [session, path]));
  const predictedAfter = (session: string, event: string): PathName | undefined =>
    predictions.find((prediction) => prediction.session === session && prediction.after === event)?.path;
  const { environment } = record;
  return buildResult({
    topology,
    runId: identity.runId,
    runtime: runtime.name,
    startedAt: new Date(startedAt).toISOString(),
    durationMs: performance.timeOrigin + performance.now() - startedAt,
    phasesMs: { load: loadMs, ...Object.fromEntries(record.phasesMs) },
    events: record.events,
    observations,
    effects,
    predictions,
    expectations: [
      ...judgeExpectations(topology.expectations, observations, predictedPaths),
      ...judgeEffects(topology.expectations, effects, predictedAfter),
    ],
    hosts: record.hosts.map(hostResult),
    captures,
    counters: Object.fromEntries(record.counters),
    environment: {
      kernel: environment?.kernel ?? "unknown",
      ...(environment?.engine === undefined ? {} : { engine: environment.engine }),
      node: process.version,
      capabilities: { ...environment?.capabilities },
    },
    leftovers: [...removed.leftovers],
    ...(record.error === undefined ? {} : { error: describeError(record.error) }),
  });
}

function hostResult({ name, image, exitCode }: HostRecord): RunResult["hosts"][number] {
  return { name, image, ...(exitCode === undefined ? {} : { exitCode }) };
}

const ONE_RUNS_OWN: ReadonlySet<string> = new Set(["node-failed", "timed-out", "behaviour-mismatch"]);

/** Whether an error concerns one run only, so that the next may do better. */
export function isRunScopedError(error: unknown): boolean {
  return error instanceof TestbedError && ONE_RUNS_OWN.has(error.code);
}

/** `20261122-164210-nat-nat-3f9a`: sorts by time, says what it was, and is no other run's. */
export function newRunId(topology: string, now: Date): string {
  const [date = "", time = ""] = now.toISOString().replaceAll(/[-:]/g, "").split(/[T.]/);
  return `${date}-${time}-${topology}-${randomBytes(2).toString("hex")}`;
}
