import { expect, test } from "vitest";
import { judgeRun } from "../../../orchestrator/judge/judge-run.ts";
import type { LabEvent } from "../../../orchestrator/lab/lab-event.ts";
import { buildResult, type ResultParts } from "../../../orchestrator/report/build-result.ts";
import { renderHtml } from "../../../orchestrator/report/html/run-page.ts";
import { renderJunit } from "../../../orchestrator/report/junit.ts";
import { type RunResult, runResultSchema } from "../../../orchestrator/report/run-result.ts";
import { formatResult, formatSummary, PLAIN } from "../../../orchestrator/report/table.ts";
import { TestbedError } from "../../../orchestrator/support/errors.ts";
import type { ResolvedTopology } from "../../../orchestrator/topology/model/resolved.ts";
import type { Prediction } from "../../../orchestrator/topology/predict/predict.ts";
import { CN_HOME, connectedEvents, MN_HOME, nodeEvent, pairOf, TWO_ENDS } from "../../support/lab-events.ts";

const PREDICTION: Prediction = {
  session: "mn-cn",
  path: "direct",
  selected: ["host", "host"],
  why: ["Both are on one segment."],
};

function resultOf(topology: ResolvedTopology = TWO_ENDS, changes: Partial<ResultParts["record"]> = {}): RunResult {
  const record: ResultParts["record"] = {
    events: connectedEvents(pairOf("host", "host")),
    phasesMs: new Map([
      ["create", 400],
      ["finish", 0.2],
    ]),
    environment: { runtime: "docker", kernel: "6.18.0", engine: "Docker 20.10.24 (API 1.41)", capabilities: {} },
    counters: new Map([["mn", { "checks.sent": 1 }]]),
    hosts: [],
    error: undefined,
    ...changes,
  };
  return buildResult({
    runId: "20261122-164210-two-ends-3f9a",
    runtime: "docker",
    topology,
    predictions: [PREDICTION],
    flowPredictions: [],
    record,
    judgement: judgeRun({ topology, predictions: [PREDICTION], record: { ...record, captures: [] } }),
    startedAt: "2026-11-22T16:42:10.000Z",
    durationMs: 2345.6,
    loadMs: 300,
    nodeVersion: "v20.20.2",
    captures: [{ segment: "internet", packets: 10, octets: 1000, droppedByKernel: 0 }],
    leftovers: [],
  });
}

/** More events than a call has room for as arguments, half of them checks that are never answered. */
const FLOOD = Array.from({ length: 200_000 }, (_, i) =>
  nodeEvent(
    300 + i,
    i % 2 === 0 ? "mn" : "cn",
    i % 4 < 2
      ? { type: "check-sent", peer: i % 2 === 0 ? CN_HOME : MN_HOME, pair: pairOf("host", "host"), kind: "ordinary" }
      : { type: "registration-failed", reason: "again" },
  ),
);

const BUSYBOX = { type: "image", image: "busybox" } as const;

test("two hundred thousand events are judged and drawn in time, the page with those that somebody reads", () => {
  const startedAt = performance.now();
  const ready: LabEvent = { at: 0, type: "node-ready", node: "mn" };
  const events = [ready, ...connectedEvents(pairOf("host", "host")), ...FLOOD];
  const page = renderHtml(resultOf(TWO_ENDS, { events }), events, TWO_ENDS);
  expect(page).toContain("The first 2000 of ");
  expect(page.length).toBeLessThan(5_000_000);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});

const UNMET: ResolvedTopology = {
  ...TWO_ENDS,
  expectations: [{ session: "mn-cn", source: "two-ends.yaml:9", path: "home-agents" }],
};
const ERROR = new TestbedError("node-failed", "node cn: it ended\n  | <last> words", { hint: "look at logs/" });

test("a result is what its published schema says", () => {
  expect(() => runResultSchema.parse(resultOf())).not.toThrow();
});

test("a result whose expectations were met passes", () => {
  expect(resultOf().verdict).toBe("pass");
});

test("one unmet expectation fails the run", () => {
  expect(resultOf(UNMET).verdict).toBe("fail");
});

test("a run that could not be carried through has no other verdict than error", () => {
  expect(resultOf(TWO_ENDS, { error: ERROR }).verdict).toBe("error");
});

test("a host whose program fails or has not ended, fails the run; one that runs on in a kept lab does not", () => {
  const host = { name: "probe", source: BUSYBOX, log: "" };
  expect(resultOf(TWO_ENDS, { hosts: [{ ...host, exitCode: 2 }] })).toMatchObject({
    verdict: "fail",
    expectations: [
      { verdict: "pass" },
      { subject: { host: "probe" }, key: "exit", expected: 0, observed: 2, verdict: "fail" },
    ],
  });
  expect(resultOf(TWO_ENDS, { hosts: [host] }).verdict).toBe("pass");
  const hanging = { hosts: [{ ...host, isEndedByTestbed: true }] };
  expect(resultOf(TWO_ENDS, hanging)).toMatchObject({
    verdict: "fail",
    hosts: [{ name: "probe", source: BUSYBOX, endedBy: "testbed" }],
  });
  expect(resultOf(TWO_ENDS, { ...hanging, error: ERROR }).expectations).toHaveLength(1);
});

test("a service that the testbed ends passes and is said to have been; one that ends by itself fails", () => {
  const service = { name: "server", source: BUSYBOX, log: "", isService: true };
  const ended = resultOf(TWO_ENDS, { hosts: [{ ...service, isEndedByTestbed: true }] });
  expect(ended.verdict).toBe("pass");
  expect(formatResult(ended, PLAIN).join("\n")).toContain("ran to the end, and was ended by the testbed");
  expect(renderJunit(ended)).toContain('name="server: end of the host\'s program, a service by the testbed"/>');
  expect(resultOf(TWO_ENDS, { hosts: [{ ...service, exitCode: 0 }] }).verdict).toBe("fail");
});

test("the terminal shows session, expectation and verdict", () => {
  expect(formatResult(resultOf(), PLAIN).join("\n")).toMatchInlineSnapshot(`
    "
    verdict  session  selected pair                                    path    nominated after  checks sent  data round trip
    pass     mn → cn  host 198.18.0.11:40000 ↔ host 198.18.0.12:40000  direct  120 ms           1 + 1        0.63 ms

    verdict  about  expectation       predicted  expected  observed  from
    pass     mn-cn  path of the data  direct     direct    direct    two-ends.yaml:9

    pass  two-ends  in 2.35 s: load 300 ms, create 400 ms"
  `);
});

test("an unmet expectation shows predicted, expected and observed side by side", () => {
  const lines = formatResult(resultOf(UNMET), PLAIN);
  expect(lines.filter((line) => line.startsWith("verdict") || line.startsWith("fail"))).toMatchInlineSnapshot(`
    [
      "verdict  session  selected pair                                    path    nominated after  checks sent  data round trip",
      "fail     mn → cn  host 198.18.0.11:40000 ↔ host 198.18.0.12:40000  direct  120 ms           1 + 1        0.63 ms",
      "verdict  about  expectation       predicted  expected     observed  from",
      "fail     mn-cn  path of the data  direct     home-agents  direct    two-ends.yaml:9",
      "fail  two-ends  in 2.35 s: load 300 ms, create 400 ms",
    ]
  `);
});

test("several runs are summed up in one line each", () => {
  const results = [resultOf(), resultOf(UNMET), resultOf(TWO_ENDS, { error: ERROR })];
  expect(formatSummary(results, PLAIN)).toMatchInlineSnapshot(`
    [
      "verdict  topology  path    time    why",
      "pass     two-ends  direct  2.35 s",
      "fail     two-ends  direct  2.35 s  path of the data: expected home-agents, observed direct",
      "error    two-ends  direct  2.35 s  node cn: it ended",
    ]
  `);
});

test("JUnit counts every expectation as a test case", () => {
  expect(renderJunit(resultOf(UNMET))).toMatchInlineSnapshot(`
    "<?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="testbed" tests="1" failures="1" errors="0" time="2.346">
      <testsuite name="two-ends" tests="1" failures="1" errors="0" skipped="0" time="2.346" timestamp="2026-11-22T16:42:10.000Z">
        <testcase classname="two-ends" name="mn-cn: path of the data home-agents">
          <failure message="path of the data: expected home-agents, observed direct">two-ends.yaml:9</failure>
        </testcase>
      </testsuite>
    </testsuites>
    "
  `);
});

test("an undetermined expectation is told as such, skipped in JUnit, and fails no run", () => {
  const happens = (at: number, name: string) =>
    ({ at, type: "timeline", name, nodes: ["nat-b"], text: "nat-b reboots" }) as const;
  const topology: ResolvedTopology = {
    ...TWO_ENDS,
    expectations: [{ session: "mn-cn", after: "reboot", source: "two-ends.yaml:9", path: "direct" }],
  };
  const events = [...connectedEvents(pairOf("host", "host")), happens(1000, "reboot"), happens(1010, "again")];
  const result = resultOf(topology, { events });
  expect(() => runResultSchema.parse(result)).not.toThrow();
  expect(result.verdict).toBe("pass");
  expect(renderJunit(result)).toContain('failures="0" errors="0" skipped="1"');
  expect(renderJunit(result)).toContain(
    '<skipped message="after reboot: path of the data: expected direct, observed undetermined: the next event came too soon"/>',
  );
  expect(formatResult(result, PLAIN)).toContainEqual(expect.stringMatching(/^undetermined +mn-cn +after reboot: path/));
});

test("JUnit carries the error of a run, escaped", () => {
  const xml = renderJunit(resultOf(TWO_ENDS, { error: ERROR }));
  expect(xml).toContain('tests="2" failures="0" errors="1"');
  expect(xml).toContain('<error type="node-failed" message="node cn: it ended">');
  expect(xml).toContain("| &lt;last&gt; words");
});
