/** `testbed probe`: verifies the NATs and firewalls of topologies, and nothing else. */

import type { LabEvent } from "../lab/lab-event.ts";
import { describeError } from "../lab/lab-record.ts";
import { labTimeouts } from "../lab/lab-timeouts.ts";
import { lifetimeDurationMs } from "../lab/measure-lifetimes.ts";
import { runLab } from "../lab/run-lab.ts";
import { buildPlan } from "../plan/build-plan.ts";
import { planProbes } from "../plan/probe-plan.ts";
import { routerResults } from "../report/router-result.ts";
import type { RouterResult } from "../report/run-result.ts";
import { formatRouters } from "../report/table.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { RuntimeChoice } from "../runtime/runtime-name.ts";
import type { ResolvedTopology } from "../topology/model/resolved.ts";
import type { CommandContext, ExitCode } from "./context.ts";
import { beginRuntimes } from "./create-runtime.ts";
import { loadTopologies } from "./load-topologies.ts";
import { newRun } from "./new-run.ts";

export interface ProbeOptions {
  readonly runtime: RuntimeChoice;
  readonly json: boolean;
  /** Whether to measure the lifetime of mappings: takes 1.4 times the longest lifetime. */
  readonly lifetime: boolean;
  readonly seed?: number;
  /** Per topology, excluding the time for lifetimes. */
  readonly timeoutMs: number;
  /** Factor of the timeouts of a run's steps. */
  readonly timeouts: number;
}

/** The outcome of one topology. */
interface Probed {
  readonly topology: string;
  readonly routers: readonly RouterResult[];
  readonly error: unknown;
}

/**
 * Probes topologies in turn. Returns 0 when all behaviour is as declared; throws `behaviour-mismatch`, or the error
 * that prevented probing, once the tables of all are printed.
 */
export async function probe(
  wanted: readonly string[],
  options: ProbeOptions,
  context: CommandContext,
): Promise<ExitCode> {
  const runtimes = beginRuntimes(options.runtime, context.say);
  try {
    const loaded = await loadTopologies(wanted, context, { seed: options.seed });
    const outcomes: Probed[] = [];
    for (const { topology } of loaded) {
      context.signal.throwIfAborted();
      const runtime = await runtimes.runtimeFor(undefined);
      const outcome = await probeTopology(topology, runtime, options, context);
      if (!options.json) printOutcome(outcome, context);
      outcomes.push(outcome);
    }
    if (options.json) printOutcomes(outcomes, context);
    const failed = outcomes.find(({ error }) => error !== undefined);
    if (failed !== undefined) throw failed.error;
    return 0;
  } finally {
    await runtimes.close();
  }
}

async function probeTopology(
  topology: ResolvedTopology,
  runtime: Runtime,
  { lifetime, timeoutMs, timeouts }: ProbeOptions,
  { say, signal }: CommandContext,
): Promise<Probed> {
  const probes = planProbes(topology);
  const lifetimeMs = lifetime ? lifetimeDurationMs(probes) : 0;
  if (lifetimeMs > 0) say(`${topology.name}: measuring lifetimes takes ${Math.ceil(lifetimeMs / 1000)} s`);
  const events: LabEvent[] = [];
  const record = await runLab({
    runtime,
    identity: newRun(topology.name),
    topology,
    plan: buildPlan(topology, { capture: false }),
    probes,
    predictions: [],
    only: lifetime ? "behaviour-and-lifetimes" : "middleboxes",
    signal,
    timeoutMs: timeoutMs + lifetimeMs,
    timeouts: labTimeouts(timeouts),
    keep: false,
    onEvent: (event) => events.push(event),
  });
  const { leftovers } = await record.removal;
  for (const line of leftovers) say(line);
  return { topology: topology.name, routers: routerResults(topology, events, record.counters), error: record.error };
}

function printOutcome({ topology, routers }: Probed, { print, paint }: CommandContext): void {
  const lines = formatRouters(routers, paint);
  print(paint.strong(topology));
  for (const line of lines.length > 0 ? lines : ["no NAT or firewall to verify"]) print(line);
}

function printOutcomes(outcomes: readonly Probed[], { printJson }: CommandContext): void {
  const results = outcomes.map(({ topology, routers, error }) => ({
    topology,
    verdict: error === undefined ? "pass" : "error",
    routers,
    ...(error === undefined ? {} : { error: describeError(error) }),
  }));
  printJson(results.length === 1 ? results[0] : results);
}
