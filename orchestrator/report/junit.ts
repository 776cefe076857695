/** The expectations of runs as JUnit XML, which every CI system reads. */

import { expectationLabel, expectedText, subjectName, unmetText } from "./expectation-text.ts";
import type { ExpectationResult, RunResult } from "./run-result.ts";

/** One test suite per run, one test case per expectation, skipped where it is undetermined; an aborted run is one error. */
export function renderJunit(result: RunResult): string {
  const cases = [...result.expectations.map((expectation) => testCase(result, expectation)), ...errorCase(result)];
  const failures = result.expectations.filter(({ verdict }) => verdict === "fail").length;
  const counts = `tests="${cases.length}" failures="${failures}" errors="${result.error === undefined ? 0 : 1}"`;
  const skipped = result.expectations.filter(({ verdict }) => verdict === "undetermined").length;
  const seconds = (result.durationMs / 1000).toFixed(3);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="testbed" ${counts} time="${seconds}">`,
    `  <testsuite name="${escapeXml(result.topology)}" ${counts} skipped="${skipped}" time="${seconds}" timestamp="${result.startedAt}">`,
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function testCase({ topology }: RunResult, expectation: ExpectationResult): string {
  const { verdict, source } = expectation;
  const name = `${subjectName(expectation)}: ${expectationLabel(expectation)} ${expectedText(expectation)}`;
  const open = `    <testcase classname="${escapeXml(topology)}" name="${escapeXml(name)}"`;
  if (verdict === "pass") return `${open}/>`;
  const message = escapeXml(unmetText(expectation));
  if (verdict === "undetermined") return `${open}>\n      <skipped message="${message}"/>\n    </testcase>`;
  return `${open}>\n      <failure message="${message}">${escapeXml(source)}</failure>\n    </testcase>`;
}

function errorCase({ topology, error }: RunResult): readonly string[] {
  if (error === undefined) return [];
  const open = `    <testcase classname="${escapeXml(topology)}" name="the run is carried through">`;
  const message = escapeXml(error.message.split("\n")[0] ?? "");
  return [
    `${open}\n      <error type="${escapeXml(error.code)}" message="${message}">${escapeXml(error.message)}</error>\n    </testcase>`,
  ];
}

/** Escapes text for an attribute or element; characters that XML 1.0 does not allow are replaced. */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\u{FFFD}")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\n", "&#10;");
}
