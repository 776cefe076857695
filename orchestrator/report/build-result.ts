/** Puts a result together from what was planned, predicted and observed. */

import type { EventEffect } from "../lab/event-effect.ts";
import type { ExpectationVerdict } from "../lab/expectation.ts";
import type { CandidateView, LabEvent, PairView } from "../lab/lab-event.ts";
import type { SessionObservation } from "../lab/session-observation.ts";
import type { ResolvedTopology } from "../topology/model/resolved.ts";
import type { Prediction } from "../topology/predict/predict.ts";
import { linkResults } from "./link-result.ts";
import { routerResults } from "./router-result.ts";
import {
  type CandidateResult,
  type OutageResult,
  RESULT_SCHEMA_VERSION,
  type RunResult,
  type SessionResult,
  type Verdict,
} from "./run-result.ts";

/** Everything a result is made of that needs no working out. */
export interface ResultParts
  extends Pick<
    RunResult,
    | "runId"
    | "runtime"
    | "startedAt"
    | "durationMs"
    | "phasesMs"
    | "hosts"
    | "captures"
    | "counters"
    | "environment"
    | "leftovers"
  > {
  readonly topology: ResolvedTopology;
  readonly events: readonly LabEvent[];
  readonly observations: readonly SessionObservation[];
  readonly effects: readonly EventEffect[];
  readonly predictions: readonly Prediction[];
  readonly expectations: readonly ExpectationVerdict[];
  readonly error?: RunResult["error"];
}

/** The result of a run. An error leaves no other verdict, whatever was observed before it. */
export function buildResult(parts: ResultParts): RunResult {
  const { topology, events, observations, effects, predictions, expectations, error, ...rest } = parts;
  const hostExpectations = rest.hosts.flatMap(judgeHost);
  const all = [...expectations, ...hostExpectations];
  return {
    schema: RESULT_SCHEMA_VERSION,
    ...rest,
    topology: topology.name,
    summary: topology.summary,
    seed: topology.seed,
    verdict: verdictOf(all, error),
    sessions: observations.map((observation) => sessionResult(observation, effects)),
    timeline: timelineResult(events),
    routers: [...routerResults(topology, events)],
    links: [...linkResults(topology, events)],
    expectations: all,
    predicted: predictions.map(({ session, after, path, selected, why }) => ({
      session,
      ...(after === undefined ? {} : { after }),
      path,
      ...(selected === undefined ? {} : { selected: [...selected] }),
      why: why.join(" "),
    })),
    ...(error === undefined ? {} : { error }),
  };
}

function verdictOf(expectations: RunResult["expectations"], error: RunResult["error"]): Verdict {
  if (error !== undefined) return "error";
  return expectations.some(({ verdict }) => verdict === "fail") ? "fail" : "pass";
}

/** A foreign program may run to the end; when it ends by itself, it has to end well. */
function judgeHost({ name, exitCode }: RunResult["hosts"][number]): RunResult["expectations"] {
  if (exitCode === undefined) return [];
  return [
    {
      session: name,
      text: "exit code of the host's program",
      expected: "0",
      observed: String(exitCode),
      verdict: exitCode === 0 ? "pass" : "fail",
      source: "every host",
    },
  ];
}

/** What happened when, counted from the first thing that was recorded. */
function timelineResult(events: readonly LabEvent[]): RunResult["timeline"] {
  const start = events[0]?.at ?? 0;
  return events.flatMap((entry) => {
    if (entry.type !== "timeline") return [];
    const { at, name, node, text } = entry;
    return [{ event: name, node, text, atMs: Math.max(0, at - start) }];
  });
}

function sessionResult(
  { selected, refusals, candidates, peerCandidates, ...observation }: SessionObservation,
  effects: readonly EventEffect[],
): SessionResult {
  return {
    ...observation,
    ...(selected === undefined ? {} : { selected: pairResult(selected) }),
    refusals: refusals.map(({ pair, ...refusal }) => ({ ...refusal, pair: pairResult(pair) })),
    candidates: candidates.map(candidateResult),
    peerCandidates: peerCandidates.map(candidateResult),
    outages: effects.filter(({ session }) => session === observation.name).map(outageResult),
  };
}

/** A figure of an effect is carried under its own name. */
function outageResult({ session, selected, outageMs, ...figures }: EventEffect): OutageResult {
  return { ...figures, ms: outageMs, ...(selected === undefined ? {} : { selected: pairResult(selected) }) };
}

function pairResult({ local, remote }: PairView): NonNullable<SessionResult["selected"]> {
  return { local: candidateResult(local), remote: candidateResult(remote) };
}

function candidateResult({ type, address, priority }: CandidateView): CandidateResult {
  return { type, address: address.ip, port: address.port, priority };
}
