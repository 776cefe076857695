/** Compares what a topology file promises with what was observed. An unmet expectation is a verdict, not an error. */

import type { PathName, ResolvedExpectation } from "../topology/resolved.ts";
import type { SessionObservation } from "./session-observation.ts";

/** One promise, what came of it, and where it was made. */
export interface ExpectationVerdict {
  readonly session: string;
  /** What is promised, for people. */
  readonly text: string;
  readonly expected: string;
  readonly observed: string;
  readonly verdict: "pass" | "fail";
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
    const own = expectations.filter(({ session }) => session === observation.name);
    const predicted = predictedPaths.get(observation.name);
    if (own.length > 0) return own.flatMap((expectation) => judge(expectation, observation));
    return predicted === undefined ? [] : [judgePath(predicted, observation, "predicted")];
  });
}

function judge(expectation: ResolvedExpectation, observed: SessionObservation): readonly ExpectationVerdict[] {
  const { source, path, selected, nominatedWithinMs, roundTripWithinMs, maxLost } = expectation;
  const verdicts: ExpectationVerdict[] = [];
  if (path !== undefined) verdicts.push(judgePath(path, observed, source));
  if (selected !== undefined) verdicts.push(judgeSelected(selected, observed, source));
  if (nominatedWithinMs !== undefined) {
    const promise = { text: "time from offer to nomination", limit: nominatedWithinMs, source };
    verdicts.push(judgeTime(promise, observed.nominatedAfterMs, "not nominated", observed.name));
  }
  if (roundTripWithinMs !== undefined) {
    const promise = { text: "median round trip of data", limit: roundTripWithinMs, source };
    verdicts.push(judgeTime(promise, observed.roundTripMs, "no data came back", observed.name));
  }
  if (maxLost !== undefined) verdicts.push(judgeLost(maxLost, observed, source));
  return verdicts;
}

function judgePath(path: PathName, observed: SessionObservation, source: string): ExpectationVerdict {
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
  observed: SessionObservation,
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

/** Nothing lost out of nothing sent is no proof, so that a promise about loss needs traffic. */
function judgeLost(maxLost: number, observed: SessionObservation, source: string): ExpectationVerdict {
  const sent = [observed.pingBeforeIce, observed.ping, observed.echo].reduce(
    (sum, counts) => sum + (counts?.sent ?? 0),
    0,
  );
  return {
    session: observed.name,
    text: "data packets lost",
    expected: `≤ ${maxLost}`,
    observed: sent === 0 ? "no data was sent" : `${observed.lost} of ${sent}`,
    verdict: sent > 0 && observed.lost <= maxLost ? "pass" : "fail",
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
