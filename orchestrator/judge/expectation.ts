/**
 * Compares the expectations of a topology file with what was observed. The outcome is data; `report/` turns it into
 * text. An unmet expectation is a verdict, not an error.
 */

import type { CandidateType } from "@testbed/agent/control";
import type { PathName, ResolvedExpectation, SessionExpectation } from "../topology/model/resolved.ts";
import type { Prediction } from "../topology/predict/predict.ts";
import type { EffectPath, EventEffect } from "./event-effect.ts";
import type { HostJudgement } from "./host-expectation.ts";
import { type Judged, judgeTime, type TimeExpectation, verdictOf } from "./judged.ts";
import type { SessionObservation } from "./session-observation.ts";

/** A session after set-up, or after a timeline event. */
export interface SessionSubject {
  readonly session: string;
  readonly after?: string;
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

/** Unanswered data packets. */
export interface LossExpectation extends Judged<SessionSubject> {
  readonly key: "lost";
  readonly limit: number;
  /** Absent if nothing was sent: no packets sent says nothing about loss. */
  readonly observed?: number;
  readonly sent: number;
  readonly unit: "packets";
}

/** One expectation and its outcome. */
export type JudgedExpectation =
  | PathExpectation
  | SelectedExpectation
  | TimeExpectation<SessionSubject>
  | LossExpectation
  | HostJudgement;

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
    const ofFile = expectations.filter((each) => "session" in each).filter(isAboutIt);
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
  expectation: SessionExpectation,
  outcome: Outcome,
  prediction: Prediction | undefined,
): readonly JudgedExpectation[] {
  const { source, path, selected, nominatedWithinMs, restoredWithinMs, maxOutageMs, roundTripWithinMs, maxLost } =
    expectation;
  const { subject } = outcome;
  const time = (
    key: TimeExpectation<SessionSubject>["key"],
    limit: number | undefined,
    observed: number | undefined,
  ) => (limit === undefined ? [] : [judgeTime({ subject, key, limit, source }, observed)]);
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
