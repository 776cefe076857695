/**
 * Compares the expectations of a topology file with what was observed. The outcome is data; `report/` turns it into
 * text. An unmet expectation is a verdict, not an error.
 */

import type { CandidateType } from "@testbed/agent/control";
import type { HostRecord } from "../lab/lab-record.ts";
import type { PathName, ResolvedExpectation } from "../topology/model/resolved.ts";
import type { Prediction } from "../topology/predict/predict.ts";
import type { EffectPath, EventEffect } from "./event-effect.ts";
import type { SessionObservation } from "./session-observation.ts";
import type { ExpectationVerdict } from "./verdict.ts";

/** Times with an upper limit. */
export const TIME_KEYS = ["within", "outage", "roundTrip"] as const;

/** A session after set-up, or after a timeline event. */
export interface SessionSubject {
  readonly session: string;
  readonly after?: string;
}

/** Common to all judged expectations. */
interface Judged<Subject> {
  readonly subject: Subject;
  readonly verdict: ExpectationVerdict;
  /** `file:line`, or what the expectation comes from if not the file. */
  readonly source: string;
}

/** The path of the data. */
export interface PathExpectation extends Judged<SessionSubject> {
  readonly key: "path";
  readonly expected: PathName;
  readonly observed: EffectPath;
  /** Why the session made no further progress. */
  readonly failure?: string;
  readonly predicted?: PathName;
}

type PairTypes = [local: CandidateType, remote: CandidateType];

/** Candidate types of the selected pair, seen from the session's `from`. */
export interface SelectedExpectation extends Judged<SessionSubject> {
  readonly key: "selected";
  readonly expected: PairTypes;
  /** Absent if no pair was nominated. */
  readonly observed?: PairTypes;
  readonly predicted?: PairTypes;
}

/**
 * A time with an upper limit. `within`: from the offer to the nomination, or from an event to data on its path;
 * `outage`: the longest time in which no packet was answered; `roundTrip`: the median of the data.
 */
export interface TimeExpectation extends Judged<SessionSubject> {
  readonly key: (typeof TIME_KEYS)[number];
  readonly limit: number;
  /** Absent if it was not reached. */
  readonly observed?: number;
  readonly unit: "ms";
}

/** Unanswered data packets. */
export interface LossExpectation extends Judged<SessionSubject> {
  readonly key: "lost";
  readonly limit: number;
  /** Absent if nothing was sent: no packets sent says nothing about loss. */
  readonly observed?: number;
  readonly sent: number;
  readonly unit: "packets";
}

/** The exit code of a host's program. */
export interface ExitExpectation extends Judged<{ readonly host: string }> {
  readonly key: "exit";
  readonly expected: number;
  /** Absent if it had not ended when the testbed ended it. */
  readonly observed?: number;
}

/** A service runs until the testbed ends it. */
export interface ServiceExpectation extends Judged<{ readonly host: string }> {
  readonly key: "service";
  /** Exit code of one that ended earlier. */
  readonly observed?: number;
}

/** One expectation and its outcome. */
export type JudgedExpectation =
  | PathExpectation
  | SelectedExpectation
  | TimeExpectation
  | LossExpectation
  | ExitExpectation
  | ServiceExpectation;

/**
 * Judges every expectation about sessions after set-up. A session without expectations in the file must take the
 * predicted path.
 */
export function judgeSessions(
  expectations: readonly ResolvedExpectation[],
  observations: readonly SessionObservation[],
  predictions: readonly Prediction[],
): readonly JudgedExpectation[] {
  return judgeOutcomes(expectations, observations.map(outcomeOfSetUp), predictions);
}

/**
 * Judges every expectation about the effects of timeline events. Where the file has no expectation for a session after
 * an event, its data must take the predicted path. Where the path is undetermined, so is everything else.
 */
export function judgeEffects(
  expectations: readonly ResolvedExpectation[],
  effects: readonly EventEffect[],
  predictions: readonly Prediction[],
): readonly JudgedExpectation[] {
  return judgeOutcomes(expectations, effects.map(outcomeOfEvent), predictions);
}

/**
 * A program must end by itself, and with exit code 0; a service must not. Nothing is said of programs that still run in
 * a kept lab, or that an aborted run ended.
 */
export function judgeHosts(hosts: readonly HostRecord[], isAborted: boolean): readonly JudgedExpectation[] {
  return hosts
    .filter(({ exitCode, isEndedByTestbed }) => exitCode !== undefined || (isEndedByTestbed === true && !isAborted))
    .map(({ name, exitCode, isService }): ExitExpectation | ServiceExpectation => {
      const subject = { host: name };
      const observed = exitCode === undefined ? {} : { observed: exitCode };
      if (isService === true)
        return { subject, key: "service", ...observed, verdict: verdictOf(exitCode === undefined), source: "service" };
      return {
        subject,
        key: "exit",
        expected: 0,
        ...observed,
        verdict: verdictOf(exitCode === 0),
        source: "every host",
      };
    });
}

/** The outcome of a session, as far as expectations concern it. */
interface Outcome {
  readonly subject: SessionSubject;
  readonly path: EffectPath;
  readonly failure: string | undefined;
  readonly selected: PairTypes | undefined;
  readonly withinMs: number | undefined;
  readonly outageMs: number | undefined;
  readonly roundTripMs: number | undefined;
  /** Data packets, both directions: how many were sent, and how many were not answered. */
  readonly sent: number;
  readonly lost: number;
}

function outcomeOfSetUp(observation: SessionObservation): Outcome {
  const { name, path, failure, selected, nominatedAfterMs, roundTripMs, lost, pingBeforeIce, ping, echo } = observation;
  return {
    subject: { session: name },
    path,
    failure,
    selected: selected && [selected.local.type, selected.remote.type],
    withinMs: nominatedAfterMs,
    outageMs: undefined,
    roundTripMs,
    sent: [pingBeforeIce, ping, echo].reduce((sum, counts) => sum + (counts?.sent ?? 0), 0),
    lost,
  };
}

function outcomeOfEvent(effect: EventEffect): Outcome {
  const { session, event, path, selected, restoredAfterMs, outageMs, roundTripMs, packetsSent, packetsLost } = effect;
  return {
    subject: { session, after: event },
    path,
    failure: undefined,
    selected: selected && [selected.local.type, selected.remote.type],
    withinMs: restoredAfterMs,
    outageMs: packetsSent === 0 ? undefined : outageMs,
    roundTripMs,
    sent: packetsSent,
    lost: packetsLost,
  };
}

function judgeOutcomes(
  expectations: readonly ResolvedExpectation[],
  outcomes: readonly Outcome[],
  predictions: readonly Prediction[],
): readonly JudgedExpectation[] {
  return outcomes.flatMap((outcome) => {
    const isAboutIt = ({ session, after }: SessionSubject): boolean =>
      session === outcome.subject.session && after === outcome.subject.after;
    const prediction = predictions.find(isAboutIt);
    const ofFile = expectations.filter(isAboutIt);
    const judged =
      ofFile.length === 0 && prediction !== undefined
        ? [judgePath(prediction.path, "predicted", outcome, prediction)]
        : ofFile.flatMap((expectation) => judge(expectation, outcome, prediction));
    return outcome.path === "undetermined"
      ? judged.map((expectation) => ({ ...expectation, verdict: "undetermined" as const }))
      : judged;
  });
}

function judge(
  expectation: ResolvedExpectation,
  outcome: Outcome,
  prediction: Prediction | undefined,
): readonly JudgedExpectation[] {
  const { source, path, selected, nominatedWithinMs, restoredWithinMs, maxOutageMs, roundTripWithinMs, maxLost } =
    expectation;
  const { subject } = outcome;
  const time = (key: TimeExpectation["key"], limit: number | undefined, observed: number | undefined) =>
    limit === undefined ? [] : [judgeTime({ subject, key, limit, source }, observed)];
  return [
    ...(path === undefined ? [] : [judgePath(path, source, outcome, prediction)]),
    ...(selected === undefined ? [] : [judgeSelected([...selected], source, outcome, prediction)]),
    ...time("within", subject.after === undefined ? nominatedWithinMs : restoredWithinMs, outcome.withinMs),
    ...time("outage", maxOutageMs, outcome.outageMs),
    ...time("roundTrip", roundTripWithinMs, outcome.roundTripMs),
    ...(maxLost === undefined ? [] : [judgeLost(maxLost, source, outcome)]),
  ];
}

function judgePath(
  expected: PathName,
  source: string,
  { subject, path, failure }: Outcome,
  prediction: Prediction | undefined,
): PathExpectation {
  return {
    subject,
    key: "path",
    expected,
    observed: path,
    ...(failure === undefined ? {} : { failure }),
    ...(prediction === undefined ? {} : { predicted: prediction.path }),
    verdict: verdictOf(path === expected),
    source,
  };
}

function judgeSelected(
  expected: PairTypes,
  source: string,
  { subject, selected }: Outcome,
  prediction: Prediction | undefined,
): SelectedExpectation {
  return {
    subject,
    key: "selected",
    expected,
    ...(selected === undefined ? {} : { observed: selected }),
    ...(prediction?.selected === undefined ? {} : { predicted: [...prediction.selected] }),
    verdict: verdictOf(selected?.join() === expected.join()),
    source,
  };
}

function judgeTime(
  { subject, key, limit, source }: Pick<TimeExpectation, "subject" | "key" | "limit" | "source">,
  observedMs: number | undefined,
): TimeExpectation {
  return {
    subject,
    key,
    limit,
    ...(observedMs === undefined ? {} : { observed: observedMs }),
    unit: "ms",
    verdict: verdictOf(observedMs !== undefined && observedMs <= limit),
    source,
  };
}

function judgeLost(limit: number, source: string, { subject, sent, lost }: Outcome): LossExpectation {
  return {
    subject,
    key: "lost",
    limit,
    ...(sent === 0 ? {} : { observed: lost }),
    sent,
    unit: "packets",
    verdict: verdictOf(sent > 0 && lost <= limit),
    source,
  };
}

function verdictOf(isMet: boolean): ExpectationVerdict {
  return isMet ? "pass" : "fail";
}
