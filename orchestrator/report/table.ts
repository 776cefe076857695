/** The result of a run as a terminal shows it. */

import { formatMs } from "../lab/expectation.ts";
import type { CandidateResult, RunResult, SessionResult, Verdict } from "./run-result.ts";
import { formatColumns } from "./text-table.ts";

/** Puts colour on text, or leaves it alone. */
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
    ...formatSessions(result.sessions, paint),
    ...formatHosts(result.hosts),
    ...formatExpectations(result, paint),
    "",
    `${paintVerdict(result.verdict, paint)}  ${result.topology}  ${paint.faint(`in ${formatMs(result.durationMs)}: ${formatPhases(result)}`)}`,
  ];
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
  const [header = "", ...lines] = formatColumns([["verdict", "topology", "path", "time", "why"], ...rows]);
  return [
    paint.faint(header),
    ...lines.map((line, i) => {
      const { verdict = "error" } = results[i] ?? {};
      return paintVerdict(verdict, paint) + line.slice(verdict.length);
    }),
  ];
}

function unmet({ expectations }: RunResult): string {
  return expectations
    .filter(({ verdict }) => verdict === "fail")
    .map(({ text, expected, observed }) => `${text}: expected ${expected}, observed ${observed}`)
    .join("; ");
}

function formatSessions(sessions: readonly SessionResult[], paint: Paint): readonly string[] {
  if (sessions.length === 0) return [];
  const header = ["session", "selected pair", "path", "nominated after", "checks sent", "data round trip"];
  const rows = sessions.map((session) => [
    `${session.from} → ${session.to}`,
    session.selected === undefined ? `none (${session.state})` : formatPair(session.selected),
    session.path,
    session.nominatedAfterMs === undefined ? "-" : formatMs(session.nominatedAfterMs),
    `${session.checks.sent} + ${session.peerChecks.sent}`,
    session.roundTripMs === undefined ? "-" : formatMs(session.roundTripMs),
  ]);
  const [first = "", ...lines] = formatColumns([header, ...rows]);
  return ["", paint.faint(first), ...lines];
}

function formatPair({ local, remote }: NonNullable<SessionResult["selected"]>): string {
  return `${formatCandidate(local)} ↔ ${formatCandidate(remote)}`;
}

/** `server-reflexive 198.18.0.4:40001` */
export function formatCandidate({ type, address, port }: CandidateResult): string {
  return `${type} ${address.includes(":") ? `[${address}]` : address}:${port}`;
}

function formatHosts(hosts: RunResult["hosts"]): readonly string[] {
  return hosts.map(({ name, image, exitCode }) =>
    exitCode === undefined
      ? `host ${name} (${image}) ran to the end`
      : `host ${name} (${image}) ended with exit code ${exitCode}`,
  );
}

function formatExpectations(result: RunResult, paint: Paint): readonly string[] {
  if (result.expectations.length === 0) return [];
  const rows = result.expectations.map((expectation) => [
    expectation.verdict,
    expectation.session,
    expectation.text,
    predictionFor(expectation, result),
    expectation.expected,
    expectation.observed,
    expectation.source,
  ]);
  const header = ["verdict", "session", "expectation", "predicted", "expected", "observed", "from"];
  const [first = "", ...lines] = formatColumns([header, ...rows]);
  return [
    "",
    paint.faint(first),
    ...lines.map((line, i) => {
      const { verdict = "fail" } = result.expectations[i] ?? {};
      return paintVerdict(verdict, paint) + line.slice(verdict.length);
    }),
  ];
}

/** What theory says to an expectation; it says nothing about times and losses. */
export function predictionFor({ session, text }: RunResult["expectations"][number], { predicted }: RunResult): string {
  const prediction = predicted.find((entry) => entry.session === session);
  if (prediction === undefined) return "-";
  if (text.startsWith("path")) return prediction.path;
  if (text.startsWith("selected")) return prediction.selected?.join(" → ") ?? "-";
  return "-";
}

function formatPhases({ phasesMs }: RunResult): string {
  return Object.entries(phasesMs)
    .filter(([, ms]) => ms >= 1)
    .map(([phase, ms]) => `${phase} ${formatMs(ms)}`)
    .join(", ");
}

function paintVerdict(verdict: Verdict, paint: Paint): string {
  return verdict === "pass" ? paint.good(verdict) : paint.bad(verdict);
}

function asIs(text: string): string {
  return text;
}
