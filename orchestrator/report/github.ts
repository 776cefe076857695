/** A run for GitHub Actions: annotations at unmet expectations, and a table in the job's summary. */

import { subjectName, unmetText } from "./expectation-text.ts";
import { formatMs } from "./format-ms.ts";
import type { RunResult } from "./run-result.ts";

/** Workflow commands, one line each, for every unmet expectation and for a run's error. */
export function githubAnnotations({ topology, expectations, error }: RunResult): readonly string[] {
  const unmet = expectations.filter(({ verdict }) => verdict === "fail");
  return [
    ...unmet.map((expectation) =>
      annotation(locationOf(expectation.source), `${topology}: ${subjectName(expectation)}`, unmetText(expectation)),
    ),
    ...(error === undefined ? [] : [annotation({}, `${topology}: ${error.code}`, error.message)]),
  ];
}

/** Markdown for a job's summary: one row per session. */
export function githubSummary(results: readonly RunResult[]): string {
  const rows = results.flatMap((result) => {
    const { verdict, topology, durationMs, error } = result;
    if (result.sessions.length === 0 || error !== undefined)
      return [[verdict, topology, "–", error?.message.split("\n")[0] ?? "–", "–", formatMs(durationMs)]];
    return result.sessions.map(({ name, path, nominatedAfterMs }) => [
      verdict,
      topology,
      name,
      path,
      nominatedAfterMs === undefined ? "–" : formatMs(nominatedAfterMs),
      formatMs(durationMs),
    ]);
  });
  const header = ["verdict", "topology", "session", "path", "nominated after", "time"];
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line), ""].join("\n");
}

function annotation(location: Readonly<Record<string, string>>, title: string, message: string): string {
  const properties = Object.entries({ ...location, title }).map(([key, value]) => `${key}=${escapeProperty(value)}`);
  return `::error ${properties.join(",")}::${escapeData(message)}`;
}

/** The `file:line` of an expectation; other sources have no location. */
function locationOf(source: string): Readonly<Record<string, string>> {
  const [, file, line] = /^(.+):(\d+)$/.exec(source) ?? [];
  return file === undefined || line === undefined ? {} : { file, line };
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
