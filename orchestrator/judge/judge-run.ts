/**
 * The outcome of a run: a fold over its record, judged by the expectations of its file. Nothing here runs or reads a
 * clock.
 */

import type { LabRecord } from "../lab/lab-record.ts";
import type { ResolvedTopology } from "../topology/model/resolved.ts";
import type { Prediction } from "../topology/predict/predict.ts";
import { type EventEffect, observeEffects } from "./event-effect.ts";
import { type JudgedExpectation, judgeEffects, judgeSessions } from "./expectation.ts";
import { judgeHosts } from "./host-expectation.ts";
import { type HostObservation, observeHosts } from "./host-observation.ts";
import { observeSessions, type SessionObservation } from "./session-observation.ts";
import type { Verdict } from "./verdict.ts";

/** A finished run. */
export interface RunToJudge {
  readonly topology: ResolvedTopology;
  readonly predictions: readonly Prediction[];
  readonly record: Pick<LabRecord, "events" | "hosts" | "error">;
}

export interface Judgement {
  readonly hosts: readonly HostObservation[];
  /** The sessions after set-up. */
  readonly observations: readonly SessionObservation[];
  /** The effects of timeline events on them. */
  readonly effects: readonly EventEffect[];
  readonly expectations: readonly JudgedExpectation[];
  /** `error` for a run that was aborted, whatever was observed before. */
  readonly verdict: Verdict;
}

export function judgeRun({ topology, predictions, record }: RunToJudge): Judgement {
  const { sessions, nodes, expectations: expected } = topology;
  const observations = observeSessions(sessions, nodes, record.events);
  const effects = observeEffects(topology, record.events);
  const hosts = observeHosts(record.hosts, record.events);
  const expectations = [
    ...judgeSessions(expected, observations, predictions),
    ...judgeEffects(expected, effects, predictions),
    ...judgeHosts(expected, { hosts, events: record.events, isAborted: record.error !== undefined }),
  ];
  return { hosts, observations, effects, expectations, verdict: verdictOf(expectations, record.error) };
}

function verdictOf(expectations: readonly JudgedExpectation[], error: unknown): Verdict {
  if (error !== undefined) return "error";
  return expectations.some(({ verdict }) => verdict === "fail") ? "fail" : "pass";
}
