import { expect, test } from "vitest";
import { formatMs, judgeExpectations } from "../../../orchestrator/lab/expectation.ts";
import { observeSessions } from "../../../orchestrator/lab/session-observation.ts";
import type { ResolvedExpectation } from "../../../orchestrator/topology/model/resolved.ts";
import { connectedEvents, pairOf, TWO_ENDS } from "../../support/lab-events.ts";

const SELECTED = pairOf("server-reflexive", "server-reflexive");
const CONNECTED = observeSessions(TWO_ENDS.sessions, TWO_ENDS.nodes, connectedEvents(SELECTED));
const UNCONNECTED = observeSessions(TWO_ENDS.sessions, TWO_ENDS.nodes, []);

const NEVER: ReadonlyMap<string, "direct"> = new Map();

function expectation(promised: Partial<ResolvedExpectation>): ResolvedExpectation {
  return { session: "mn-cn", source: "x.yaml:3", ...promised };
}

test.each([
  [{ path: "direct" }, "direct", "direct", "pass"],
  [{ path: "home-agents" }, "home-agents", "direct", "fail"],
  [
    { selected: ["server-reflexive", "server-reflexive"] },
    "server-reflexive → server-reflexive",
    "server-reflexive → server-reflexive",
    "pass",
  ],
  [{ selected: ["host", "host"] }, "host → host", "server-reflexive → server-reflexive", "fail"],
  [{ nominatedWithinMs: 2000 }, "≤ 2 s", "120 ms", "pass"],
  [{ nominatedWithinMs: 100 }, "≤ 100 ms", "120 ms", "fail"],
  [{ roundTripWithinMs: 20 }, "≤ 20 ms", "0.63 ms", "pass"],
  [{ maxLost: 0 }, "≤ 0", "1 of 10", "fail"],
  [{ maxLost: 1 }, "≤ 1", "1 of 10", "pass"],
] as const)("%j is expected %s, observed %s: %s", (promised, expected, observed, verdict) => {
  const [judged, ...others] = judgeExpectations([expectation(promised)], CONNECTED, NEVER);
  expect(judged).toMatchObject({ session: "mn-cn", expected, observed, verdict, source: "x.yaml:3" });
  expect(others).toEqual([]);
});

test.each([
  [{ path: "direct" }, "none"],
  [{ selected: ["host", "host"] }, "no pair was nominated"],
  [{ nominatedWithinMs: 2000 }, "not nominated"],
  [{ roundTripWithinMs: 20 }, "no data came back"],
  [{ maxLost: 0 }, "no data was sent"],
] as const)("%j fails for a session that never came about: %s", (promised, observed) => {
  const judged = judgeExpectations([expectation(promised)], UNCONNECTED, NEVER);
  expect(judged).toMatchObject([{ observed, verdict: "fail" }]);
});

test("one expectation of the file gives one verdict for each thing that it promises", () => {
  const all = expectation({
    path: "direct",
    selected: ["host", "host"],
    nominatedWithinMs: 1,
    roundTripWithinMs: 1,
    maxLost: 0,
  });
  expect(judgeExpectations([all], CONNECTED, NEVER).map(({ verdict }) => verdict)).toEqual([
    "pass",
    "fail",
    "fail",
    "pass",
    "fail",
  ]);
});

test("a session that the file says nothing about has to take the predicted path", () => {
  const predicted = new Map([["mn-cn", "home-agents" as const]]);
  expect(judgeExpectations([], CONNECTED, predicted)).toMatchObject([
    { expected: "home-agents", observed: "direct", verdict: "fail", source: "predicted" },
  ]);
});

test("an expectation of the file stands in place of the prediction", () => {
  const predicted = new Map([["mn-cn", "home-agents" as const]]);
  expect(judgeExpectations([expectation({ path: "direct" })], CONNECTED, predicted)).toMatchObject([
    { verdict: "pass" },
  ]);
});

test.each([
  [0.4217, "0.42 ms"],
  [12.345, "12.3 ms"],
  [512.4, "512 ms"],
  [2500, "2.5 s"],
  [0, "0 ms"],
])("%d ms reads %s", (ms, text) => {
  expect(formatMs(ms)).toBe(text);
});
