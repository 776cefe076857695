import { expect, test } from "vitest";
import { formatMatrix } from "../../../../orchestrator/report/matrix/grid.ts";
import { renderMatrixHtml } from "../../../../orchestrator/report/matrix/html.ts";
import { renderMatrixJunit } from "../../../../orchestrator/report/matrix/junit.ts";
import { describeProgress } from "../../../../orchestrator/report/matrix/progress.ts";
import { PLAIN } from "../../../../orchestrator/report/table.ts";
import { cellResult, matrixResult } from "../../../support/matrix-cells.ts";

const surprising = matrixResult(
  [
    cellResult({ mn: "one", cn: "one" }),
    cellResult({
      mn: "one",
      cn: "two",
      observed: "home-agents",
      nominatedAfterMs: 2051,
      surprise: "worse",
      results: "cells/netns-mn-one-x-two",
      reasons: ["direct: box-cn lets it in: it filters <nothing>."],
    }),
    cellResult({ mn: "two", cn: "one", error: { code: "timed-out", message: "too late", hint: "give it longer" } }),
  ],
  4,
);

test("a grid shows predicted and observed paths and the time to nomination, and says what surprised", () => {
  expect(formatMatrix(surprising, "out/m", PLAIN).join("\n")).toBe(`
netns, mn makes the offer
mn \\ cn     one        two
one      D/D 84  ▼D/H 2051
two         D/!

predicted/observed and ms from offer to nomination: D direct, H through the home agents, N no way, - no nomination
▲ better and ▼ worse than predicted, ≠ as predicted over another pair than the best, ! failed, blank not run

one × two on netns, mn offers: worse than predicted: home-agents after 2.05 s in place of direct
  predicted: direct: box-cn lets it in: it filters <nothing>.
  results in out/m/cells/netns-mn-one-x-two
  again, with packets: npm run testbed out/m/cells/netns-mn-one-x-two/topology.yaml

two × one on netns, mn offers: failed: too late
  predicted: direct: nothing lies between.
  → give it longer

error  4 cells: 1 as predicted, 1 worse, 1 failed, 1 not run  in 21.3 s; direct paths nominated after 84.4 ms (median), 84.4 ms (95 %)`);
});

test("there is a grid for each runtime and each order", () => {
  const cells = (["docker", "netns"] as const).flatMap((runtime) =>
    (["mn", "cn"] as const).map((offerer) => cellResult({ mn: "one", cn: "one", runtime, offerer })),
  );
  const result = {
    ...matrixResult(cells),
    runtimes: ["docker" as const, "netns" as const],
    offerers: ["mn" as const, "cn" as const],
  };
  expect(formatMatrix(result, "out", PLAIN).filter((line) => line.endsWith("makes the offer"))).toEqual([
    "docker, mn makes the offer",
    "docker, cn makes the offer",
    "netns, mn makes the offer",
    "netns, cn makes the offer",
  ]);
});

test("another pair than the model ranks best has a mark of its own", () => {
  const cell = cellResult({
    mn: "one",
    cn: "one",
    predictedPair: ["host", "host"],
    observedPair: ["host", "peer-reflexive"],
  });
  const lines = formatMatrix(matrixResult([cell]), "out", PLAIN);
  expect(lines).toContain("one      ≠D/D 84");
  expect(lines.at(-1)).toMatch(/^pass {2}1 cell: 1 as predicted \(1 over another pair\)/);
});

test("JUnit has one case for each cell: surprises are failures with the reasoning, runs that failed are errors", () => {
  expect(renderMatrixJunit(surprising)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="testbed matrix" tests="3" failures="1" errors="1" time="21.300">
  <testsuite name="matrix on netns, mn offers" tests="3" failures="1" errors="1" skipped="0" timestamp="2026-11-22T16:42:10.000Z">
    <testcase classname="matrix on netns, mn offers" name="one × one: direct" time="2.000"/>
    <testcase classname="matrix on netns, mn offers" name="one × two: direct" time="2.000">
      <failure message="worse than predicted: home-agents after 2.05 s in place of direct">direct: box-cn lets it in: it filters &lt;nothing&gt;.</failure>
    </testcase>
    <testcase classname="matrix on netns, mn offers" name="two × one: direct" time="2.000">
      <error type="timed-out" message="too late">too late</error>
    </testcase>
  </testsuite>
</testsuites>
`);
});

test("the HTML grid needs nothing beside it, escapes what comes from data and links the results that were kept", () => {
  const page = renderMatrixHtml(surprising);
  expect(page).not.toMatch(/src=|@import|https?:/);
  expect(page).toContain("it filters &lt;nothing&gt;.");
  expect(page).toContain('<a href="cells/netns-mn-one-x-two/report.html">');
  expect(page.match(/<td class="cell [^"]*remarkable"/g)).toHaveLength(2);
  expect(page).toContain("not run");
});

test.each([
  [{ done: 0, running: 8, remarkable: 0, elapsedMs: 900 }, "0 of 81 cells, 8 running, no surprise"],
  [{ done: 23, running: 8, remarkable: 0, elapsedMs: 9000 }, "23 of 81 cells, 8 running, no surprise, about 18 s left"],
  [{ done: 80, running: 1, remarkable: 2, elapsedMs: 9000 }, "80 of 81 cells, 1 running, 2 surprises, about 1 s left"],
])("progress: %j", (progress, line) => {
  expect(describeProgress({ planned: 81, ...progress })).toBe(line);
});
