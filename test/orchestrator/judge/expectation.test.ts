import { expect, test } from "vitest";
import { judgeSessions } from "../../../orchestrator/judge/expectation.ts";
import { observeSessions } from "../../../orchestrator/judge/session-observation.ts";
import { expectedText, observedText } from "../../../orchestrator/report/expectation-text.ts";
import type { SessionExpectation } from "../../../orchestrator/topology/model/resolved.ts";
import type { Prediction } from "../../../orchestrator/topology/predict/predict.ts";
import { connectedEvents, pairOf, TWO_ENDS } from "../../support/lab-events.ts";

const SELECTED = pairOf("server-reflexive", "server-reflexive");
const CONNECTED = observeSessions(TWO_ENDS.sessions, TWO_ENDS.nodes, connectedEvents(SELECTED));
const UNCONNECTED = observeSessions(TWO_ENDS.sessions, TWO_ENDS.nodes, []);

const HOME_AGENTS: Prediction = { session: "mn-cn", path: "home-agents", why: [] };

function expectation(keys: Partial<SessionExpectation>): SessionExpectation {
  return { session: "mn-cn", source: "x.yaml:3", ...keys };
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
] as const)("%j is expected %s, observed %s: %s", (keys, expected, observed, verdict) => {
  const judged = judgeSessions([expectation(keys)], CONNECTED, []);
  expect(judged).toMatchObject([{ subject: { session: "mn-cn" }, verdict, source: "x.yaml:3" }]);
  expect(judged.map((each) => [expectedText(each), observedText(each)])).toEqual([[expected, observed]]);
});

test.each([
  [{ path: "direct" }, "none"],
  [{ selected: ["host", "host"] }, "no pair was nominated"],
  [{ nominatedWithinMs: 2000 }, "not nominated"],
  [{ roundTripWithinMs: 20 }, "no data came back"],
  [{ maxLost: 0 }, "no data was sent"],
] as const)("%j fails for a session that never came about: %s", (keys, observed) => {
  const judged = judgeSessions([expectation(keys)], UNCONNECTED, []);
  expect(judged).toMatchObject([{ verdict: "fail" }]);
  expect(judged.map(observedText)).toEqual([observed]);
});

test("one expectation of the file gives one verdict for each of its keys", () => {
  const all = expectation({
    path: "direct",
    selected: ["host", "host"],
    nominatedWithinMs: 1,
    roundTripWithinMs: 1,
    maxLost: 0,
  });
  expect(judgeSessions([all], CONNECTED, []).map(({ verdict }) => verdict)).toEqual([
    "pass",
    "fail",
    "fail",
    "pass",
    "fail",
  ]);
});

test("a session that the file says nothing about has to take the predicted path", () => {
  expect(judgeSessions([], CONNECTED, [HOME_AGENTS])).toMatchObject([
    { expected: "home-agents", observed: "direct", verdict: "fail", source: "predicted" },
  ]);
});

test("an expectation of the file stands in place of the prediction", () => {
  expect(judgeSessions([expectation({ path: "direct" })], CONNECTED, [HOME_AGENTS])).toMatchObject([
    { verdict: "pass" },
  ]);
});

test("what is judged is data: what was expected, observed and predicted, with units", () => {
  const all = expectation({ path: "direct", selected: ["host", "host"], nominatedWithinMs: 2000, maxLost: 0 });
  const prediction: Prediction = { session: "mn-cn", path: "direct", selected: ["host", "host"], why: [] };
  const common = { subject: { session: "mn-cn" }, source: "x.yaml:3" };
  const reflexive = ["server-reflexive", "server-reflexive"];
  const hosts = ["host", "host"];
  expect(judgeSessions([all], CONNECTED, [prediction])).toEqual([
    { ...common, key: "path", expected: "direct", observed: "direct", predicted: "direct", verdict: "pass" },
    { ...common, key: "selected", expected: hosts, observed: reflexive, predicted: hosts, verdict: "fail" },
    { ...common, key: "within", limit: 2000, observed: 120, unit: "ms", verdict: "pass" },
    { ...common, key: "lost", limit: 0, observed: 1, sent: 10, unit: "packets", verdict: "fail" },
  ]);
});

test("what never came about has no observed value", () => {
  const all = expectation({ selected: ["host", "host"], nominatedWithinMs: 2000, roundTripWithinMs: 20, maxLost: 0 });
  const judged = judgeSessions([all], UNCONNECTED, []);
  expect(judged.map((each) => [each.key, "observed" in each])).toEqual([
    ["selected", false],
    ["within", false],
    ["roundTrip", false],
    ["lost", false],
  ]);
});
