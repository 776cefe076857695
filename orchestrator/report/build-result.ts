/** Builds the result of a run as data. */

import type { CapturedEffect, ComparedEffect } from "../judge/compare-effects.ts";
import type { HostObservation } from "../judge/host-observation.ts";
import type { Judgement } from "../judge/judge-run.ts";
import type { SessionObservation } from "../judge/session-observation.ts";
import type { CandidateView, LabEvent, PairView } from "../lab/lab-event.ts";
import { describeError, type LabRecord } from "../lab/lab-record.ts";
import type { ResolvedTopology } from "../topology/model/resolved.ts";
import type { Prediction } from "../topology/predict/predict.ts";
import type { FlowPrediction } from "../topology/predict/predict-flow.ts";
import { flowResults } from "./flow-result.ts";
import { linkResults } from "./link-result.ts";
import { routerResults } from "./router-result.ts";
import {
  type CandidateResult,
  type HostResult,
  type OutageResult,
  RESULT_SCHEMA_VERSION,
  type RunResult,
  type SessionResult,
} from "./run-result.ts";

/** A finished run, and what only its runner has. */
export interface ResultParts extends Pick<RunResult, "runId" | "runtime" | "startedAt" | "durationMs" | "captures"> {
  readonly topology: ResolvedTopology;
  readonly predictions: readonly Prediction[];
  readonly flowPredictions: readonly FlowPrediction[];
  readonly record: Omit<LabRecord, "captures" | "logs" | "removal">;
  readonly judgement: Judgement;
  /** Time to load and plan. */
  readonly loadMs: number;
  /** Version of Node.js, such as `v24.0.0`. */
  readonly nodeVersion: string;
  readonly leftovers: readonly string[];
}

/** Converts what was planned, predicted, observed and judged to the format of `result.json`. */
export function buildResult(parts: ResultParts): RunResult {
  const { runId, runtime, topology, predictions, flowPredictions, record, judgement } = parts;
  const { startedAt, durationMs, captures } = parts;
  const { events, environment, error } = record;
  return {
    schema: RESULT_SCHEMA_VERSION,
    runId,
    topology: topology.name,
    summary: topology.summary,
    runtime,
    seed: topology.seed,
    startedAt,
    verdict: judgement.verdict,
    durationMs,
    phasesMs: { load: parts.loadMs, ...Object.fromEntries(record.phasesMs) },
    sessions: judgement.observations.map((observation) => sessionResult(observation, judgement.effects)),
    flows: flowResults(judgement.flows, flowPredictions, events[0]?.at ?? 0),
    timeline: timelineResult(events),
    routers: [...routerResults(topology, events, record.counters)],
    links: [...linkResults(topology, events)],
    hosts: judgement.hosts.map((host) => hostResult(host, events)),
    expectations: [...judgement.expectations],
    predicted: predictions.map(predictionResult),
    captures,
    counters: Object.fromEntries(record.counters),
    environment: {
      kernel: environment?.kernel ?? "unknown",
      ...(environment?.engine === undefined ? {} : { engine: environment.engine }),
      node: parts.nodeVersion,
      capabilities: { ...environment?.capabilities },
    },
    leftovers: [...parts.leftovers],
    ...(error === undefined ? {} : { error: describeError(error) }),
  };
}

/** Times count from the first recorded event. */
function hostResult(host: HostObservation, events: readonly LabEvent[]): HostResult {
  const { name, source, command, exitCode, isEndedByTestbed, isService, said, lastLines, exceeded } = host;
  const start = events[0]?.at ?? 0;
  const sinceStart = (at: number): number => Math.max(0, at - start);
  return {
    name,
    source,
    ...(command === undefined ? {} : { command: [...command] }),
    ...(exitCode === undefined ? {} : { exitCode, endedBy: "itself" }),
    ...(isEndedByTestbed === true ? { endedBy: "testbed" } : {}),
    ...(isService === true ? { service: true } : {}),
    ...(exceeded === undefined ? {} : { exceeded: [...exceeded] }),
    ...(host.startedAt === undefined ? {} : { startedAtMs: sinceStart(host.startedAt) }),
    ...(host.readyAt === undefined ? {} : { readyAtMs: sinceStart(host.readyAt) }),
    ...(host.endedAt === undefined ? {} : { endedAtMs: sinceStart(host.endedAt) }),
    ...(said === undefined ? {} : { said }),
    lastLines: [...lastLines],
  };
}

function predictionResult({ session, after, path, selected, why }: Prediction): RunResult["predicted"][number] {
  return {
    session,
    ...(after === undefined ? {} : { after }),
    path,
    ...(selected === undefined ? {} : { selected: [...selected] }),
    why: why.join(" "),
  };
}

/** The timeline events, timed from the first recorded event. */
function timelineResult(events: readonly LabEvent[]): RunResult["timeline"] {
  const start = events[0]?.at ?? 0;
  return events.flatMap((entry) => {
    if (entry.type !== "timeline") return [];
    const { at, name, nodes, text } = entry;
    return [{ event: name, nodes: [...nodes], text, atMs: Math.max(0, at - start) }];
  });
}

function sessionResult(
  { selected, refusals, candidates, peerCandidates, ...observation }: SessionObservation,
  effects: readonly ComparedEffect[],
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

/** Other figures of an effect keep their names. */
function outageResult({
  session,
  selected,
  outageMs,
  captured,
  disagreements,
  ...figures
}: ComparedEffect): OutageResult {
  return {
    ...figures,
    ms: outageMs,
    ...(selected === undefined ? {} : { selected: pairResult(selected) }),
    ...(captured === undefined ? {} : { captured: capturedResult(captured) }),
    disagreements: disagreements.map(({ figure, agents, captures }) => ({
      figure: figure === "outageMs" ? "ms" : figure,
      ...(agents === undefined ? {} : { agents }),
      ...(captures === undefined ? {} : { captures }),
    })),
  };
}

function capturedResult({
  event,
  session,
  selected,
  outageMs,
  roundTripMs,
  ...figures
}: CapturedEffect): NonNullable<OutageResult["captured"]> {
  return { ...figures, ms: outageMs };
}

function pairResult({ local, remote }: PairView): NonNullable<SessionResult["selected"]> {
  return { local: candidateResult(local), remote: candidateResult(remote) };
}

function candidateResult({ type, address, priority }: CandidateView): CandidateResult {
  return { type, address: address.ip, port: address.port, priority };
}
