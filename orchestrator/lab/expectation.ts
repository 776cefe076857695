/** Compares what a topology file promises with what was observed. An unmet expectation is a verdict, not an error. */

import type { PathName, ResolvedExpectation } from "../topology/model/resolved.ts";
import type { EventEffect } from "./event-effect.ts";
import type { PairView } from "./lab-event.ts";
import type { SessionObservation } from "./session-observation.ts";

/** Whether an expectation was met. */
export const EXPECTATION_VERDICTS = ["pass", "fail"] as const;

/** One promise, what came of it, and where it was made. */
export interface ExpectationVerdict {
  readonly session: string;
  /** The event that it is about; absent for the session as it was set up. */
  readonly after?: string;
  /** What is promised, for people. */
  readonly text: string;
  readonly expected: string;
  readonly observed: string;
  readonly verdict: (typeof EXPECTATION_VERDICTS)[number];
  /** `file:line`, or what made the promise in place of the file. */
  readonly source: string;
}

/** Judges every promise of the file; a session that the file says nothing about has to take the predicted path. */
export function judgeExpectations(
  expectations: readonly ResolvedExpectation[],
  observations: readonly SessionObservation[],
  predictedPaths: ReadonlyMap<string, PathName>,
): readonly ExpectationVerdict[] {
  return observations.flatMap((observation) => {
    const own = expectations.filter(({ session, after }) => session === observation.name && after === undefined);
    const predicted = predictedPaths.get(observation.name);
    if (own.length > 0) return own.flatMap((expectation) => judge(expectation, observation));
    return predicted === undefined ? [] : [judgePath(predicted, observation, "predicted")];
  });
}

/**
 * Judges every promise about what came of the events of the timeline; where the file says nothing of a session after an
 * event, data has to take the predicted path.
 */
export function judgeEffects(
  expectations: readonly ResolvedExpectation[],
  effects: readonly EventEffect[],
  predictedPath: (session: string, event: string) => PathName | undefined,
): readonly ExpectationVerdict[] {
  return effects.flatMap((effect) => {
    const own = expectations.filter(({ session, after }) => session === effect.session && after === effect.event);
    const predicted = predictedPath(effect.session, effect.event);
    const due = own.length > 0 || predicted === undefined ? own : [predictionOf(effect, predicted)];
    return due
      .flatMap((expectation) => judgeEffect(expectation, effect))
      .map((verdict) => ({
        ...verdict,
        after: effect.event,
      }));
  });
}

function predictionOf({ session }: EventEffect, path: PathName): ResolvedExpectation {
  return { session, source: "predicted", path };
}

function judgeEffect(expectation: ResolvedExpectation, effect: EventEffect): readonly ExpectationVerdict[] {
  const { source, path, selected, restoredWithinMs, maxOutageMs, roundTripWithinMs, maxLost } = expectation;
  const { session } = effect;
  const verdicts: ExpectationVerdict[] = [];
  if (path !== undefined) verdicts.push(judgePath(path, { name: session, path: effect.path }, source));
  if (selected !== undefined) verdicts.push(judgeSelected(selected, { ...effect, name: session }, source));
  const time = (text: string, limit: number | undefined, observed: number | undefined): void => {
    if (limit !== undefined) verdicts.push(judgeTime({ text, limit, source }, observed, "no data came back", session));
  };
  time("time from the event to data on its path", restoredWithinMs, effect.restoredAfterMs);
  time("longest time without data", maxOutageMs, effect.packetsSent === 0 ? undefined : effect.outageMs);
  time("median round trip of data", roundTripWithinMs, effect.roundTripMs);
  if (maxLost !== undefined) {
    const counts = { name: session, sent: effect.packetsSent, lost: effect.packetsLost };
    verdicts.push(judgeLost(maxLost, counts, source));
  }
  return verdicts;
}

function judge(expectation: ResolvedExpectation, observed: SessionObservation): readonly ExpectationVerdict[] {
  const { source, path, selected, nominatedWithinMs, roundTripWithinMs, maxLost } = expectation;
  const verdicts: ExpectationVerdict[] = [];
  if (path !== undefined) verdicts.push(judgePath(path, observed, source));
  if (selected !== undefined) verdicts.push(judgeSelected(selected, observed, source));
  if (nominatedWithinMs !== undefined) {
    const expectation = { text: "time from offer to nomination", limit: nominatedWithinMs, source };
    verdicts.push(judgeTime(expectation, observed.nominatedAfterMs, "not nominated", observed.name));
  }
  if (roundTripWithinMs !== undefined) {
    const expectation = { text: "median round trip of data", limit: roundTripWithinMs, source };
    verdicts.push(judgeTime(expectation, observed.roundTripMs, "no data came back", observed.name));
  }
  if (maxLost !== undefined) verdicts.push(judgeLost(maxLost, countsOf(observed), source));
  return verdicts;
}

function judgePath(
  path: PathName,
  observed: Pick<SessionObservation, "name" | "path" | "failure">,
  source: string,
): ExpectationVerdict {
  return {
    session: observed.name,
    text: "path of the data",
    expected: path,
    observed: observed.failure === undefined ? observed.path : `${observed.path} (${observed.failure})`,
    verdict: observed.path === path ? "pass" : "fail",
    source,
  };
}

function judgeSelected(
  expected: readonly [string, string],
  observed: { readonly name: string; readonly selected?: PairView },
  source: string,
): ExpectationVerdict {
  const found = observed.selected && [observed.selected.local.type, observed.selected.remote.type];
  return {
    session: observed.name,
    text: "selected candidates, local and remote",
    expected: expected.join(" → "),
    observed: found?.join(" → ") ?? "no pair was nominated",
    verdict: found?.join() === expected.join() ? "pass" : "fail",
    source,
  };
}

function judgeTime(
  { text, limit, source }: { readonly text: string; readonly limit: number; readonly source: string },
  observedMs: number | undefined,
  otherwise: string,
  session: string,
): ExpectationVerdict {
  return {
    session,
    text,
    expected: `≤ ${formatMs(limit)}`,
    observed: observedMs === undefined ? otherwise : formatMs(observedMs),
    verdict: observedMs !== undefined && observedMs <= limit ? "pass" : "fail",
    source,
  };
}

/** Packets of a session, both directions: how many were sent, and how many were never answered. */
interface LossCounts {
  readonly name: string;
  readonly sent: number;
  readonly lost: number;
}

function countsOf({ name, lost, pingBeforeIce, ping, echo }: SessionObservation): LossCounts {
  const sent = [pingBeforeIce, ping, echo].reduce((sum, counts) => sum + (counts?.sent ?? 0), 0);
  return { name, sent, lost };
}

/** Nothing lost out of nothing sent is no proof, so that a promise about loss needs traffic. */
function judgeLost(maxLost: number, { name, sent, lost }: LossCounts, source: string): ExpectationVerdict {
  return {
    session: name,
    text: "data packets lost",
    expected: `≤ ${maxLost}`,
    observed: sent === 0 ? "no data was sent" : `${lost} of ${sent}`,
    verdict: sent > 0 && lost <= maxLost ? "pass" : "fail",
    source,
  };
}

/** `0.42 ms`, `12.3 ms`, `512 ms`, `2.5 s`: three digits say enough. */
export function formatMs(ms: number): string {
  if (ms >= 1000) return `${trim(ms / 1000, 2)} s`;
  return `${trim(ms, ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
}

function trim(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
