/** Compares what a file expects of hosts with what was observed of their programs. */

import type { LabEvent } from "../lab/lab-event.ts";
import type { HostExpectation, ResolvedExpectation } from "../topology/model/resolved.ts";
import type { HostObservation } from "./host-observation.ts";
import { type Judged, judgeTime, type TimeExpectation, verdictOf } from "./judged.ts";

/** A host from its start, or after a timeline event. */
export interface HostSubject {
  readonly host: string;
  readonly after?: string;
}

/** The exit code of a host's program. */
export interface ExitExpectation extends Judged<HostSubject> {
  readonly key: "exit";
  /** One code, several of which one must be observed, or `any`: it must only end by itself. */
  readonly expected: number | number[] | "any";
  /** Absent if it had not ended when the testbed ended it. */
  readonly observed?: number;
}

/** A line of its output. */
export interface OutputExpectation extends Judged<HostSubject> {
  readonly key: "output";
  readonly expected: string;
  /** The first line that matches; absent if there was none. */
  readonly observed?: string;
}

/** A service runs until the testbed ends it. */
export interface ServiceExpectation extends Judged<HostSubject> {
  readonly key: "service";
  /** Exit code of one that ended earlier. */
  readonly observed?: number;
}

export type HostJudgement = ExitExpectation | OutputExpectation | ServiceExpectation | TimeExpectation<HostSubject>;

/** What was observed of hosts, and whether the run was aborted before its end. */
export interface HostsToJudge {
  readonly hosts: readonly HostObservation[];
  readonly events: readonly LabEvent[];
  readonly isAborted: boolean;
}

/**
 * Judges the expectations of a file, and what holds without any: a service runs to the end; every other program ends by
 * itself, with exit code 0 where the file expects nothing of it. Nothing is said of what an aborted run kept from
 * happening, nor of programs that still run in a kept lab.
 */
export function judgeHosts(
  expectations: readonly ResolvedExpectation[],
  observed: HostsToJudge,
): readonly HostJudgement[] {
  return observed.hosts.flatMap((host) => {
    const own = expectations.filter((each) => "host" in each).filter(({ host: name }) => name === host.name);
    return [...own.flatMap((expectation) => judgeHost(expectation, host, observed)), ...judgeEnd(own, host, observed)];
  });
}

/** What holds of every program, unless an expectation of the file says otherwise. */
function judgeEnd(
  own: readonly HostExpectation[],
  { name, exitCode, isEndedByTestbed, isService }: HostObservation,
  { isAborted }: HostsToJudge,
): readonly HostJudgement[] {
  if (own.some(({ exit }) => exit !== undefined)) return [];
  if (exitCode === undefined && (isEndedByTestbed !== true || isAborted)) return [];
  const subject = { host: name };
  const observed = exitCode === undefined ? {} : { observed: exitCode };
  if (isService === true)
    return [{ subject, key: "service", ...observed, verdict: verdictOf(exitCode === undefined), source: "service" }];
  const expected = own.length === 0 ? 0 : "any";
  const isMet = expected === "any" ? exitCode !== undefined : exitCode === expected;
  return [{ subject, key: "exit", expected, ...observed, verdict: verdictOf(isMet), source: "every host" }];
}

function judgeHost(
  expectation: HostExpectation,
  host: HostObservation,
  { events, isAborted }: HostsToJudge,
): readonly HostJudgement[] {
  const { source, after, exit, output, withinMs } = expectation;
  const from = after === undefined ? host.startedAt : momentOf(after, events);
  if (from === undefined) return [];
  const subject = { host: host.name, ...(after === undefined ? {} : { after }) };
  const ended = exitSince(host, from);
  const line = output === undefined ? undefined : lineSince(host.name, output, events, from);
  const hasEnded = ended !== undefined || host.isEndedByTestbed === true;
  const stated = { subject, source };
  const judged = [
    ...(exit === undefined || !hasEnded ? [] : [judgeExit(exit, stated, ended?.code)]),
    ...(output === undefined ? [] : [judgeOutput(output, stated, line?.text)]),
    ...(withinMs === undefined ? [] : [judgeTime({ ...stated, key: "within", limit: withinMs }, tookMs())]),
  ];
  return isAborted ? judged.filter(({ observed }) => observed !== undefined) : judged;

  function tookMs(): number | undefined {
    const moments = [...(exit === undefined ? [] : [ended?.at]), ...(output === undefined ? [] : [line?.at])];
    return from === undefined ? undefined : timeUntil(moments, from);
  }
}

/** What an expectation is about, and where it stands. */
type Stated = Pick<HostJudgement, "subject" | "source">;

function judgeExit(codes: readonly number[], stated: Stated, observed: number | undefined): ExitExpectation {
  const [first = 0, ...others] = codes;
  return {
    ...stated,
    key: "exit",
    expected: others.length === 0 ? first : [...codes],
    ...(observed === undefined ? {} : { observed }),
    verdict: verdictOf(observed !== undefined && codes.includes(observed)),
  };
}

function judgeOutput(expected: string, stated: Stated, observed: string | undefined): OutputExpectation {
  return {
    ...stated,
    ...{ key: "output", expected },
    ...(observed === undefined ? {} : { observed }),
    verdict: verdictOf(observed !== undefined),
  };
}

/** From a time until the last of some moments; undefined where one of them never came. */
function timeUntil(moments: readonly (number | undefined)[], from: number): number | undefined {
  const reached = moments.filter((at) => at !== undefined);
  return reached.length === moments.length ? Math.max(...reached) - from : undefined;
}

function momentOf(event: string, events: readonly LabEvent[]): number | undefined {
  return events.findLast((entry) => entry.type === "timeline" && entry.name === event)?.at;
}

function exitSince({ exitCode, endedAt }: HostObservation, from: number): { code: number; at: number } | undefined {
  return exitCode === undefined || endedAt === undefined || endedAt < from
    ? undefined
    : { code: exitCode, at: endedAt };
}

function lineSince(
  host: string,
  pattern: string,
  events: readonly LabEvent[],
  from: number,
): { text: string; at: number } | undefined {
  for (const entry of events)
    if (entry.type === "host-output" && entry.node === host && entry.pattern === pattern && entry.at >= from)
      return { text: entry.line, at: entry.at };
  return undefined;
}
