/** `testbed run`: runs topologies in turn; results go to disk, the verdict is the exit code. */

import { appendFile } from "node:fs/promises";
import { githubAnnotations, githubSummary } from "../report/github.ts";
import { formatResult, formatSummary } from "../report/table.ts";
import { TestbedError } from "../support/errors.ts";
import { programKindOf } from "../topology/resolve/program-kinds.ts";
import type { CommandContext, ExitCode } from "./context.ts";
import { beginRuntimes, type OpenRuntimes } from "./create-runtime.ts";
import { eventPrinter } from "./event-printer.ts";
import { type LoadedTopology, loadTopologies } from "./load-topologies.ts";
import type { RunOptions } from "./run-options.ts";
import { isRunScopedError, type RunOutcome, runTopology } from "./run-topology.ts";

/**
 * Runs topologies in turn. Returns 0 when every expectation was met, 1 otherwise. What stopped a run is thrown once the
 * results of all runs are written; an interruption by the user cancels those that remain.
 */
export async function run(wanted: readonly string[], options: RunOptions, context: CommandContext): Promise<ExitCode> {
  const runtimes = beginRuntimes(options.runtime, context.say);
  try {
    const topologies = await loadTopologies(wanted, context, options);
    const outcomes = await runInTurn(topologies, runtimes, options, context);
    await tellGithub(outcomes, context);
    const exitCode = conclude(outcomes, options, context);
    // An interruption during the removal of the last lab counts too.
    context.signal.throwIfAborted();
    return exitCode;
  } finally {
    await runtimes.close();
  }
}

async function runInTurn(
  topologies: readonly LoadedTopology[],
  runtimes: OpenRuntimes,
  options: RunOptions,
  context: CommandContext,
): Promise<readonly RunOutcome[]> {
  const outcomes: RunOutcome[] = [];
  for (const { topology, text } of topologies) {
    context.signal.throwIfAborted();
    // The first run's duration includes the start of the process.
    const startedAt = performance.timeOrigin + (outcomes.length === 0 ? 0 : performance.now());
    const onEvent = eventPrinter(startedAt, context);
    const runtime = await runtimes.runtimeFor(programKindOf(topology.nodes));
    const outcome = await runTopology({ topology, text, runtime, options, context, startedAt, onEvent });
    outcomes.push(outcome);
    if (!options.json) printOutcome(outcome, context);
    if (outcome.error !== undefined && !isRunScopedError(outcome.error)) break;
  }
  return outcomes;
}

function conclude(
  outcomes: readonly RunOutcome[],
  { json }: RunOptions,
  { print, printJson, paint }: CommandContext,
): ExitCode {
  const results = outcomes.map(({ result }) => result);
  if (json) printJson(results.length === 1 ? results[0] : results);
  else if (results.length > 1) for (const line of ["", ...formatSummary(results, paint)]) print(line);
  const failed = outcomes.find(({ error }) => error !== undefined);
  if (failed !== undefined) throw failed.error;
  return results.every(({ verdict }) => verdict === "pass") ? 0 : 1;
}

/** Inside GitHub Actions, annotates the lines of unmet expectations and adds the runs to the job's summary. */
async function tellGithub(outcomes: readonly RunOutcome[], { say }: CommandContext): Promise<void> {
  if (process.env["GITHUB_ACTIONS"] !== "true") return;
  const results = outcomes.map(({ result }) => result);
  for (const line of results.flatMap(githubAnnotations)) say(line);
  const summary = process.env["GITHUB_STEP_SUMMARY"];
  if (summary === undefined) return;
  await appendFile(summary, githubSummary(results)).catch((error: unknown) => {
    say(`the job's summary is not written: ${error instanceof Error ? error.message : String(error)}`);
  });
}

function printOutcome({ result, directory, error }: RunOutcome, { print, paint }: CommandContext): void {
  for (const line of formatResult(result, paint)) print(line);
  const isComplete = !(error instanceof TestbedError && error.code === "output-failed");
  print(
    isComplete ? `results in ${directory} (report.html, capture.pcapng, result.json)` : `some results in ${directory}`,
  );
}
