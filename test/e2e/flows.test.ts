/** Programs of hosts that punch holes: captures show which path their data takes, and it is the predicted one. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { needs } from "../support/needs.ts";
import { latestResult, runCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("netns");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

test("data through the hole that two programs punch is direct, with its addresses on each segment", async () => {
  const run = await runCli(["hole-punching", "--runtime", "netns", "--out", directory.path]);
  const result = await latestResult(directory.path);
  expect(run.exitCode, run.stdout + run.stderr).toBe(0);
  expect(result.flows).toMatchObject([{ path: "direct", predicted: { direct: "possible" }, ambiguous: 0 }]);
  const [flow] = result.flows;
  expect(flow?.surprise).toBeUndefined();
  expect(
    flow?.directions.map(({ packets, ways }) => [packets > 20, ways[0]?.segments.map(({ segment }) => segment)]),
  ).toEqual([
    [true, ["home-lan", "internet", "cafe-lan"]],
    [true, ["cafe-lan", "internet", "home-lan"]],
  ]);
  expect(run.stdout).toMatch(/^call \(alice ↔ bob, UDP\) +- +direct/m);
  expect(await readFile(join(directory.path, "latest/report.html"), "utf8")).toContain("<h2>Flows</h2>");
});
