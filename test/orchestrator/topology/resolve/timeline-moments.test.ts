/** When events happen: after others, once something is seen, again and again. */

import { describe, expect, test } from "vitest";
import { predictRun } from "../../../../orchestrator/topology/predict/predict-run.ts";
import { asHappened } from "../../../../orchestrator/topology/resolve/as-happened.ts";
import { issuesOf, resolved, twoHomes } from "../sample.ts";

const CONE = "nat: port-restricted-cone";
const homes = (events: string, rest = ""): string =>
  `${twoHomes(CONE, CONE).trimEnd()}\ntimeline: [${events}]\n${rest}`;

/** The events of a file: name, and milliseconds into the data as far as known. */
function timesOf(events: string): readonly (readonly [string, number])[] {
  return resolved(homes(events)).timeline.map(({ name, atMs }) => [name, atMs]);
}

/** The problems of a file, each with what the file has where it is reported. */
function problemsOf(text: string): readonly (readonly [place: string, problem: string])[] {
  return issuesOf(text).map((issue) => {
    const [, line = "", column = "", problem = ""] = /^t\.yaml:(\d+):(\d+) (.*)$/s.exec(issue) ?? [];
    return [text.split("\n")[Number(line) - 1]?.slice(Number(column) - 1) ?? "", problem];
  });
}

describe("an event that follows another", () => {
  test("comes so much later, wherever it stands in the file, and counts from the end of one that lasts", () => {
    const events =
      "{ after: reboot, plus: 200ms, forget: nat-b }, { at: 1s, reboot: nat-a, down: 500ms }, { after: forget, readdress: mn }";
    expect(timesOf(events)).toEqual([
      ["reboot", 1000],
      ["forget", 1700],
      ["readdress", 1700],
    ]);
  });

  test("happens every time that a repeated one does, or after one of them", () => {
    const flap =
      "{ at: 1s, link: mn/home-a, conditions: { loss: 100% }, name: down, every: 10s, times: 2 }, { after: down, plus: 2s, link: mn/home-a, name: up }, { after: up#2, plus: 1s, reboot: nat-b }";
    expect(timesOf(flap)).toEqual([
      ["down#1", 1000],
      ["up#1", 3000],
      ["down#2", 11_000],
      ["up#2", 13_000],
      ["reboot", 14_000],
    ]);
    expect(predictRun(resolved(homes(flap))).map(({ after, path }) => [after, path])).toEqual([
      [undefined, "direct"],
      ["down#1", "none"],
      ["up#1", "direct"],
      ["down#2", "none"],
      ["up#2", "direct"],
      ["reboot", "direct"],
    ]);
  });

  test("draws other ports every time that a NAT reboots", () => {
    const random = twoHomes("nat: { preset: port-restricted-cone, portAssignment: random }", CONE).trimEnd();
    const { timeline } = resolved(`${random}\ntimeline: [{ at: 1s, reboot: nat-a, every: 5s, times: 3 }]\n`);
    const seeds = timeline
      .flatMap(({ actions }) => actions)
      .map((action) => (action.type === "reboot" ? action.natSeed : undefined));
    expect(new Set(seeds).size).toBe(3);
  });
});

test("what is expected after a repeated event is expected every time", () => {
  const { expectations } = resolved(
    homes(
      "{ at: 1s, forget: nat-a, every: 5s, times: 3 }",
      "expect: [{ session: mn-cn, after: forget, path: direct }, { session: mn-cn, after: forget#2, outage: 1s }]\n",
    ),
  );
  expect(expectations.map(({ after }) => after)).toEqual(["forget#1", "forget#2", "forget#3", "forget#2"]);
});

describe("an event that waits for what a run shows", () => {
  const waiting = resolved(
    homes(
      "{ at: 1s, link: nat-a/internet, conditions: { loss: 100% }, name: breaks }, { after: breaks, on: { session: mn-cn, state: home-agents }, link: nat-a/internet, name: heals }, { at: 5s, forget: nat-b }",
    ),
  );

  test("is taken for late until then, so that what comes before it has its effect", () => {
    expect(waiting.timeline.map(({ name }) => name)).toEqual(["breaks", "forget", "heals"]);
  });

  test("is predicted in the order of happening, with what did not happen left out", () => {
    const happened = asHappened(waiting, [
      { name: "breaks", at: 10_000 },
      { name: "heals", at: 10_300 },
    ]);
    expect(happened.timeline.map(({ name, atMs }) => [name, atMs])).toEqual([
      ["breaks", 10_000],
      ["heals", 10_300],
    ]);
    expect(predictRun(happened).map(({ after, path }) => [after, path])).toEqual([
      [undefined, "direct"],
      ["breaks", "none"],
      ["heals", "direct"],
    ]);
  });

  test("leaves a timeline whose times are known as it is written, events of one instant in its order", () => {
    const known = resolved(homes("{ at: 1s, forget: nat-a }, { after: forget, reboot: nat-b }"));
    expect(asHappened(known, [{ name: "forget", at: 2 }])).toBe(known);
  });
});

describe("a moment that is wrong is refused with its place", () => {
  test.each([
    [
      "without any",
      "{ reboot: nat-a }",
      "{ reboot | timeline[0]: expected `at`, `after` or `on`; found none; say when",
    ],
    [
      "`at` and `after`",
      "{ at: 1s, forget: nat-b }, { at: 1s, after: forget, reboot: nat-a }",
      "at: 1s, after | timeline[1].at: expected no `at` beside `after`; found both; remove one, or write `plus` for `at`",
    ],
    [
      "`plus` without `after`",
      "{ at: 1s, plus: 2s, reboot: nat-a }",
      "2s | timeline[0].plus: expected `after` or `on` beside `plus`; found none; add it, or remove `plus`",
    ],
    [
      "`settled` without `after`",
      "{ at: 1s, settled: true, reboot: nat-a }",
      "true | timeline[0].settled: expected `after` beside `settled`; found none",
    ],
    [
      "`every` without `times`",
      "{ at: 1s, every: 2s, reboot: nat-a }",
      "2s | timeline[0].every: expected `times` beside `every`; found none",
    ],
    [
      "`times` without `every`",
      "{ at: 1s, times: 2, reboot: nat-a }",
      "2, | timeline[0].times: expected `every` beside `times`; found none",
    ],
    ["`every` of no time", "{ at: 1s, every: 0s, times: 2, reboot: nat-a }", "0s | timeline[0].every: expected a dur"],
    ["once as a repetition", "{ at: 1s, every: 1s, times: 1, reboot: nat-a }", "1, | timeline[0].times: expected"],
    [
      "an event that does not exist",
      "{ at: 1s, reboot: nat-a }, { after: rebot, forget: nat-b }",
      'rebot, | timeline[1].after: expected an event of the timeline; found "rebot"; did you mean reboot?',
    ],
    [
      "a time of a repeated event that does not exist",
      "{ at: 1s, reboot: nat-a, every: 1s, times: 2 }, { after: reboot#3, forget: nat-b }",
      'reboot#3 | timeline[1].after: expected an event of the timeline; found "reboot#3"; did you mean reboot#1?',
    ],
    [
      "itself",
      "{ after: reboot, reboot: nat-a }",
      "reboot, | timeline[0].after: expected an event that happens before reboot; reboot comes after it itself",
    ],
    [
      "`times` after a repeated event",
      "{ at: 1s, reboot: nat-a, every: 1s, times: 2 }, { after: reboot, every: 1s, times: 2, forget: nat-b }",
      "times: 2, forget | timeline[1].times: expected `times` only after an event that happens once; reboot happens 2 times",
    ],
    [
      "no session",
      "{ on: { session: cn-mn, state: direct }, reboot: nat-a }",
      'cn-mn | timeline[0].on.session: expected a session; found "cn-mn"; did you mean mn-cn?',
    ],
    [
      "no state",
      "{ on: { session: mn-cn }, reboot: nat-a }",
      "{ session | timeline[0].on: expected `session` and `state` in `on`; found no `state`; add it",
    ],
    [
      "a state that there is not",
      "{ on: { session: mn-cn, state: dircet }, reboot: nat-a }",
      'dircet | timeline[0].on.state: expected one of direct, home-agents, nominated, failed; found "dircet"',
    ],
    [
      "an order that depends on the run",
      "{ at: 5s, reboot: nat-a }, { on: { session: mn-cn, state: failed }, forget: nat-a }",
      "{ on: | timeline[1]: expected a certain order of the events of nat-a; whether forget or reboot comes first depends on the run; let one come `after` the other",
    ],
  ])("%s", (_, events, problem) => {
    const [found, ...others] = problemsOf(homes(events));
    const [place = "", message = ""] = problem.split(" | ");
    expect(found?.map((text, i) => text.slice(0, [place, message][i]?.length))).toEqual([place, message]);
    expect(others).toEqual([]);
  });

  test("a circle, at each of its events", () => {
    const problems = problemsOf(homes("{ after: b, reboot: nat-a, name: a }, { after: a, forget: nat-b, name: b }"));
    expect(problems.map(([place, problem]) => [place[0], problem.split(";")[0]])).toEqual([
      ["b", "timeline[0].after: expected an event that happens before a"],
      ["a", "timeline[1].after: expected an event that happens before b"],
    ]);
  });

  test("an effect that settles, where there is no session", () => {
    const text = homes("{ at: 1s, reboot: nat-a }, { after: reboot, settled: true, forget: nat-a }");
    expect(problemsOf(text.replace(/^sessions:.*\n/m, ""))).toEqual([
      [
        "settled: true, forget: nat-a }]",
        "timeline[1].settled: expected sessions, whose data settles; found none; remove it",
      ],
    ]);
  });

  test("too many repetitions", () => {
    const text = homes(
      "{ at: 1s, every: 1s, times: 600, reboot: nat-a }, { at: 1s, every: 1s, times: 600, forget: nat-b }",
    );
    expect(problemsOf(text).map(([, problem]) => problem)).toEqual([
      "timeline: expected fewer than 1000 events with all repetitions; found 1000 or more; write fewer `times`",
    ]);
  });

  test("an order that `after` makes certain is none", () => {
    const events =
      "{ at: 5s, reboot: nat-a }, { after: reboot, on: { session: mn-cn, state: direct }, forget: nat-a }, { after: forget, settled: true, plus: 1s, change: nat-a, firewall: open }";
    expect(problemsOf(homes(events))).toEqual([]);
  });
});
