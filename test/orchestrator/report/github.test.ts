import { expect, test } from "vitest";
import { githubAnnotations, githubSummary } from "../../../orchestrator/report/github.ts";
import type { RunResult } from "../../../orchestrator/report/run-result.ts";

const RESULT: RunResult = {
  schema: 2,
  runId: "r",
  topology: "two-ends",
  summary: "",
  runtime: "docker",
  seed: 7,
  startedAt: "2026-11-22T16:42:10.000Z",
  verdict: "fail",
  durationMs: 2345,
  phasesMs: {},
  sessions: [],
  flows: [],
  timeline: [],
  routers: [],
  links: [],
  hosts: [],
  expectations: [
    {
      subject: { session: "mn-cn" },
      key: "path",
      expected: "direct",
      observed: "none",
      failure: "100% lost",
      verdict: "fail",
      source: "a,b.yaml:9",
    },
    {
      subject: { session: "mn-cn" },
      key: "lost",
      limit: 0,
      observed: 0,
      sent: 2,
      unit: "packets",
      verdict: "pass",
      source: "a,b.yaml:9",
    },
  ],
  predicted: [],
  captures: [],
  counters: {},
  environment: { kernel: "6", node: "v20", capabilities: {} },
  leftovers: [],
};
const ERROR = { code: "node-failed", message: "node cn: ended\n| last" };

test("an unmet expectation is annotated at its line, escaped as GitHub wants it", () => {
  expect(githubAnnotations(RESULT)).toEqual([
    "::error file=a%2Cb.yaml,line=9,title=two-ends%3A mn-cn::path of the data: expected direct, observed none (100%25 lost)",
  ]);
});

test("an error of a run is annotated without a place", () => {
  expect(githubAnnotations({ ...RESULT, expectations: [], error: ERROR })).toEqual([
    "::error title=two-ends%3A node-failed::node cn: ended%0A| last",
  ]);
});

test("the summary has one row for each run without sessions", () => {
  expect(githubSummary([RESULT, { ...RESULT, verdict: "error", error: ERROR }])).toBe(
    [
      "| verdict | topology | session | path | nominated after | time |",
      "| --- | --- | --- | --- | --- | --- |",
      "| fail | two-ends | – | – | – | 2.35 s |",
      "| error | two-ends | – | node cn: ended | – | 2.35 s |",
      "",
    ].join("\n"),
  );
});
