/** What judged expectations of every kind have in common. */

import type { TIME_KEYS } from "../topology/model/words.ts";
import type { ExpectationVerdict } from "./verdict.ts";

export interface Judged<Subject> {
  readonly subject: Subject;
  readonly verdict: ExpectationVerdict;
  /** `file:line`, or what the expectation comes from if not the file. */
  readonly source: string;
}

/**
 * A time with an upper limit. `within`: of a session from the offer to the nomination, or from an event to data on its
 * path; of a host from its start, or from an event, until what is expected of its program; `outage`: the longest time in
 * which no packet was answered; `roundTrip`: the median of the data.
 */
export interface TimeExpectation<Subject> extends Judged<Subject> {
  readonly key: (typeof TIME_KEYS)[number];
  readonly limit: number;
  /** Absent if it was not reached. */
  readonly observed?: number;
  readonly unit: "ms";
}

export function judgeTime<Subject>(
  { subject, key, limit, source }: Pick<TimeExpectation<Subject>, "subject" | "key" | "limit" | "source">,
  observedMs: number | undefined,
): TimeExpectation<Subject> {
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

export function verdictOf(isMet: boolean): ExpectationVerdict {
  return isMet ? "pass" : "fail";
}
