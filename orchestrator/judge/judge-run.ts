/**
 * The outcome of a run: a fold over its record, judged by the expectations of its file. Nothing here runs or reads a
 * clock.
 */

import type { LabRecord } from "../lab/lab-record.ts";
import type { ResolvedTopology } from "../topology/model/resolved.ts";
import type { Prediction } from "../topology/predict/predict.ts";
import { type ComparedEffect, compareEffects } from "./compare-effects.ts";
import { completeTrace } from "./complete-trace.ts";
import { type JudgedExpectation, judgeEffects, judgeSessions } from "./expectation.ts";
import { type FlowObservation, observeFlows } from "./flow-observation.ts";
import { judgeHosts } from "./host-expectation.ts";
import { type HostObservation, observeHosts } from "./host-observation.ts";
import { observeSessions, type SessionObservation } from "./session-observation.ts";
import type { Verdict } from "./verdict.ts";

/** A finished run. */
export interface RunToJudge {
  readonly topology: ResolvedTopology;
  readonly predictions: readonly Prediction[];
  readonly record: Pick<LabRecord, "events" | "hosts" | "error" | "captures">;
}

export interface Judgement {
  readonly hosts: readonly HostObservation[];
  /** The sessions after set-up. */
  readonly observations: readonly SessionObservation[];
  readonly flows: readonly FlowObservation[];
  /** The effects of timeline events on sessions. */
  readonly effects: readonly ComparedEffect[];
  readonly expectations: readonly JudgedExpectation[];
  /** `error` for a run that was aborted, whatever was observed before. */
  readonly verdict: Verdict;
}

export function judgeRun({ topology, predictions, record }: RunToJudge): Judgement {
  const { sessions, nodes, expectations: expected } = topology;
  const observations = observeSessions(sessions, nodes, record.events);
  const isTraced = topology.flows.length > 0 || (topology.timeline.length > 0 && sessions.length > 0);
  const packets = isTraced ? completeTrace(record) : undefined;
  const effects = compareEffects(topology, record.events, packets);
  const flows = observeFlows(topology, record.events, packets);
  const hosts = observeHosts(record.hosts, record.events);
  const expectations = [
    ...judgeSessions(expected, observations, predictions),
    ...judgeEffects(expected, effects, predictions),
    ...judgeHosts(expected, { hosts, events: record.events, isAborted: record.error !== undefined }),
  ];
  return { hosts, observations, flows, effects, expectations, verdict: verdictOf(expectations, record.error) };
}

function verdictOf(expectations: readonly JudgedExpectation[], error: unknown): Verdict {
  if (error !== undefined) return "error";
  return expectations.some(({ verdict }) => verdict === "fail") ? "fail" : "pass";
}
