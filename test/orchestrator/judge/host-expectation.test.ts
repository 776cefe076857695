import { expect, test } from "vitest";
import { judgeHosts } from "../../../orchestrator/judge/host-expectation.ts";
import { observeHosts } from "../../../orchestrator/judge/host-observation.ts";
import type { LabEvent } from "../../../orchestrator/lab/lab-event.ts";
import type { HostRecord } from "../../../orchestrator/lab/lab-record.ts";
import { expectationLabel, expectedText, observedText } from "../../../orchestrator/report/expectation-text.ts";
import type { HostExpectation } from "../../../orchestrator/topology/model/resolved.ts";

const EVENTS: readonly LabEvent[] = [
  { at: 1000, type: "host-started", node: "h", program: "peer" },
  { at: 1200, type: "host-ready", node: "h" },
  { at: 1500, type: "host-output", node: "h", pattern: "connected", line: "connected to 1" },
  { at: 2000, type: "timeline", name: "cut", nodes: ["nat-a"], text: "" },
  { at: 2600, type: "host-output", node: "h", pattern: "connected", line: "connected to 2" },
  { at: 3000, type: "host-exited", node: "h", exitCode: 3 },
];

const ENDED: HostRecord = { name: "h", source: { type: "machine" }, exitCode: 3, log: "a\nb\n" };
const { exitCode: _, ...RUNNING } = { ...ENDED, isEndedByTestbed: true };

function judge(keys: Partial<HostExpectation> | undefined, host: HostRecord = ENDED, isAborted = false) {
  const events = host.exitCode === undefined ? EVENTS.slice(0, -1) : EVENTS;
  const expectations = keys === undefined ? [] : [{ host: "h", source: "x.yaml:3", ...keys }];
  return judgeHosts(expectations, { hosts: observeHosts([host], events), events, isAborted });
}

const rows = (judged: ReturnType<typeof judge>) =>
  judged.map((each) => [each.verdict, expectationLabel(each), expectedText(each), observedText(each)].join(" | "));

test.each<[string, Partial<HostExpectation> | undefined, HostRecord, readonly string[]]>([
  ["nothing is expected", undefined, ENDED, ["fail | exit code of the host's program | 0 | 3"]],
  ["its exit code is on the list", { exit: [0, 3] }, ENDED, ["pass | exit code of the host's program | 0 or 3 | 3"]],
  [
    "its exit code comes in time",
    { exit: [3], withinMs: 2000 },
    ENDED,
    ["pass | exit code of the host's program | 3 | 3", "pass | time from its start until then | ≤ 2 s | 2 s"],
  ],
  [
    "its output comes too late, and how it ends is open",
    { output: "connected", withinMs: 100 },
    ENDED,
    [
      "pass | output of the host's program | connected | connected to 1",
      "fail | time from its start until then | ≤ 100 ms | 500 ms",
      "pass | exit code of the host's program | any | 3",
    ],
  ],
  [
    "it writes something after an event",
    { output: "connected", after: "cut", withinMs: 1000, exit: [3] },
    ENDED,
    [
      "pass | after cut: exit code of the host's program | 3 | 3",
      "pass | after cut: output of the host's program | connected | connected to 2",
      "pass | after cut: time from the event until then | ≤ 1 s | 1 s",
    ],
  ],
  [
    "it never wrote that, and did not end",
    { output: "relayed", withinMs: 100 },
    RUNNING,
    [
      "fail | output of the host's program | relayed | no such line",
      "fail | time from its start until then | ≤ 100 ms | it did not come to that",
      "fail | exit code of the host's program | any | still running, ended by the testbed (a server says `service: true`)",
    ],
  ],
  [
    "it wrote that and is a service",
    { output: "connected" },
    { ...RUNNING, isService: true },
    [
      "pass | output of the host's program | connected | connected to 1",
      "pass | end of the host's program, a service | by the testbed | by the testbed",
    ],
  ],
])("%s", (_name, keys, host, expected) => {
  expect(rows(judge(keys, host))).toEqual(expected);
});

test("of a run that was aborted, what was seen counts, and what was not is not held against a program", () => {
  expect(rows(judge({ output: "connected", exit: [0] }, RUNNING, true))).toEqual([
    "pass | output of the host's program | connected | connected to 1",
  ]);
});

test("a host's times, last lines and own words are observed", () => {
  const said: LabEvent = { at: 1600, type: "host-said", node: "h", word: { path: "direct" } };
  const log = `${"x".repeat(600)}\n${Array.from({ length: 30 }, (_, i) => `line ${i}`).join("\n")}\n`;
  const [observed] = observeHosts([{ ...ENDED, log }], [...EVENTS, said]);
  expect(observed).toMatchObject({ startedAt: 1000, readyAt: 1200, endedAt: 3000, said: { path: "direct" } });
  expect(observed?.lastLines).toHaveLength(20);
  expect(observed?.lastLines.at(-1)).toBe("line 29");
});
