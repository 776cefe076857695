/** The result of a run for a terminal. */

import type { Verdict } from "../judge/verdict.ts";
import { describeProgram } from "../topology/describe/describe-program.ts";
import { formatEndpoint } from "../topology/model/address-text.ts";
import { checksText } from "./checks-text.ts";
import {
  expectationLabel,
  expectedText,
  observedText,
  predictedText,
  subjectName,
  unmetText,
} from "./expectation-text.ts";
import { flowLines, flowRows } from "./flow-rows.ts";
import { formatMs } from "./format-ms.ts";
import { hostEndText, linesOfFailure } from "./host-text.ts";
import { linkRows } from "./link-rows.ts";
import { outageRows } from "./outage-rows.ts";
import { routerRemarks, routerRows, wayInRows } from "./router-rows.ts";
import type { CandidateResult, ExpectationResult, RouterResult, RunResult, SessionResult } from "./run-result.ts";
import { formatColumns, type TextTable } from "./text-table.ts";

/** Adds colours to text, or returns it unchanged. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
}

export const PLAIN: Paint = { good: asIs, bad: asIs, faint: asIs, strong: asIs };

/** Sessions, expectations and the verdict, line by line. */
export function formatResult(result: RunResult, paint: Paint): readonly string[] {
  return [
    ...formatSessions(result, paint),
    ...formatTable(outageRows(result), paint),
    ...formatTable(flowRows(result), paint),
    ...flowLines(result).map((line) => paint.faint(line)),
    ...formatRouters(result.routers, paint),
    ...formatTable(linkRows(result), paint),
    ...formatHosts(result, paint),
    ...formatExpectations(result.expectations, paint),
    "",
    `${paintVerdict(result.verdict, paint)}  ${result.topology}  ${paint.faint(`in ${formatMs(result.durationMs)}: ${formatPhases(result)}`)}`,
  ];
}

/** The observations of probes, line by line. */
export function formatRouters(routers: readonly RouterResult[], paint: Paint): readonly string[] {
  const tables = [routerRows(routers), wayInRows(routers)].filter((table) => table !== undefined);
  const remarks = routerRemarks(routers).map((line) => paint.faint(line));
  return [...tables.flatMap(({ header, rows }) => ["", ...formatVerdictRows(header, rows, paint)]), ...remarks];
}

/** One line per run, for a command that ran several. */
export function formatSummary(results: readonly RunResult[], paint: Paint): readonly string[] {
  const rows = results.map((result) => [
    result.verdict,
    result.topology,
    result.sessions.map(({ path }) => path).join(", ") || "-",
    formatMs(result.durationMs),
    result.error?.message.split("\n")[0] ?? unmet(result),
  ]);
  return formatVerdictRows(["verdict", "topology", "path", "time", "why"], rows, paint);
}

function unmet({ expectations }: RunResult): string {
  return expectations
    .filter(({ verdict }) => verdict === "fail")
    .map(unmetText)
    .join("; ");
}

function formatSessions(result: RunResult, paint: Paint): readonly string[] {
  if (result.sessions.length === 0) return [];
  const header = ["verdict", "session", "selected pair", "path", "nominated after", "checks sent", "data round trip"];
  const rows = result.sessions.map((session) => [
    sessionVerdict(session, result),
    `${session.from} → ${session.to}`,
    session.selected === undefined ? `none (${session.state})` : formatPair(session.selected),
    session.path,
    session.nominatedAfterMs === undefined ? "-" : formatMs(session.nominatedAfterMs),
    checksText(session),
    session.roundTripMs === undefined ? "-" : formatMs(session.roundTripMs),
  ]);
  return ["", ...formatVerdictRows(header, rows, paint)];
}

/** The verdict of one session's expectations; `error` when the run was aborted. */
function sessionVerdict({ name }: SessionResult, { expectations, error }: RunResult): Verdict {
  if (error !== undefined) return "error";
  const isOwn = ({ subject }: ExpectationResult): boolean => "session" in subject && subject.session === name;
  return expectations.some((expectation) => isOwn(expectation) && expectation.verdict === "fail") ? "fail" : "pass";
}

/** Aligned rows whose first cell is a verdict. */
function formatVerdictRows(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  paint: Paint,
): readonly string[] {
  const [first = "", ...lines] = formatColumns([header, ...rows]);
  return [
    paint.faint(first),
    ...lines.map((line, i) => {
      const verdict = rows[i]?.[0] ?? "";
      return paintVerdict(verdict, paint) + line.slice(verdict.length);
    }),
  ];
}

function formatPair({ local, remote }: NonNullable<SessionResult["selected"]>): string {
  return `${formatCandidate(local)} ↔ ${formatCandidate(remote)}`;
}

/** `server-reflexive 198.18.0.4:40001` */
export function formatCandidate({ type, address, port }: CandidateResult): string {
  return `${type} ${formatEndpoint({ ip: address, port })}`;
}

/** Rows under their header; nothing without a table. */
function formatTable(table: TextTable | undefined, paint: Paint): readonly string[] {
  if (table === undefined) return [];
  const [header = "", ...lines] = formatColumns([table.header, ...table.rows]);
  return ["", paint.faint(header), ...lines];
}

/** Hosts, with the last lines of those that failed. */
function formatHosts({ hosts, expectations }: RunResult, paint: Paint): readonly string[] {
  return hosts.flatMap((host) => [
    `host ${host.name} (${describeProgram(host)}) ${hostEndText(host)}`,
    ...linesOfFailure(host, expectations).map((line) => paint.faint(`  | ${line}`)),
  ]);
}

function formatExpectations(expectations: readonly ExpectationResult[], paint: Paint): readonly string[] {
  if (expectations.length === 0) return [];
  const rows = expectations.map((expectation) => [
    expectation.verdict,
    subjectName(expectation),
    expectationLabel(expectation),
    predictedText(expectation),
    expectedText(expectation),
    observedText(expectation),
    expectation.source,
  ]);
  const header = ["verdict", "about", "expectation", "predicted", "expected", "observed", "from"];
  return ["", ...formatVerdictRows(header, rows, paint)];
}

function formatPhases({ phasesMs }: RunResult): string {
  return Object.entries(phasesMs)
    .filter(([, ms]) => ms >= 1)
    .map(([phase, ms]) => `${phase} ${formatMs(ms)}`)
    .join(", ");
}

function paintVerdict(verdict: string, paint: Paint): string {
  if (verdict === "undetermined") return paint.faint(verdict);
  return verdict === "pass" ? paint.good(verdict) : paint.bad(verdict);
}

function asIs(text: string): string {
  return text;
}
