/** A matrix through the real command line, with real agents, and its output when the model is wrong. */

import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { createRuntime } from "../../orchestrator/commands/create-runtime.ts";
import { runMatrix } from "../../orchestrator/commands/matrix/run-matrix.ts";
import { labTimeouts } from "../../orchestrator/lab/lab-timeouts.ts";
import { type MatrixResult, matrixResultSchema } from "../../orchestrator/report/matrix/matrix-result.ts";
import { planCell } from "../../orchestrator/topology/matrix/cells.ts";
import { MATRIX_MIDDLEBOXES } from "../../orchestrator/topology/matrix/matrix-middlebox.ts";
import { needs } from "../support/needs.ts";
import { runCli, startCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("netns");

let out: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  out = await temporaryDirectory();
});
afterAll(() => out.remove());

function middlebox(name: string) {
  const found = MATRIX_MIDDLEBOXES.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no middlebox ${name}`);
  return found;
}

async function latestMatrix(): Promise<MatrixResult> {
  return matrixResultSchema.parse(JSON.parse(await readFile(join(out.path, "latest-matrix/matrix.json"), "utf8")));
}

test("three middleboxes by three do what the model says, three labs serving nine cells", async () => {
  const args = ["--with", "eim-apdf,adm-eif,apdm-apdf", "--runtime", "netns", "--jobs", "3", "--out", out.path];
  const { exitCode, stdout } = await runCli(["matrix", ...args]);
  const result = await latestMatrix();
  expect(result.cells.filter(({ surprise, error }) => surprise !== undefined || error !== undefined)).toEqual([]);
  expect({ exitCode, summary: result.summary }).toMatchObject({ exitCode: 0, summary: { planned: 9, asPredicted: 9 } });
  expect(result.cells.map(({ observed }) => observed)).toEqual([
    ...["direct", "direct", "home-agents"],
    ...["direct", "direct", "direct"],
    ...["home-agents", "direct", "home-agents"],
  ]);
  expect(stdout).toMatch(/^apdm-apdf +H\/H \d+ +≠?D\/D \d+ +H\/H \d+$/m);
  expect((await readdir(join(out.path, "latest-matrix"))).sort()).toEqual(["junit.xml", "matrix.html", "matrix.json"]);
});

test("a firewall that lets no UDP out leaves no way, and a node without a middlebox is found from anywhere", async () => {
  const { exitCode } = await runCli([
    ...["matrix", "--mn", "udp-blocked,none", "--cn", "apdm-apdf", "--both-orders", "--json"],
    ...["--runtime", "netns", "--out", out.path],
  ]);
  const { cells } = await latestMatrix();
  expect(exitCode).toBe(0);
  expect(cells.map(({ mn, offerer, observed }) => [mn, offerer, observed])).toEqual([
    ["udp-blocked", "mn", "none"],
    ["udp-blocked", "cn", "none"],
    ["none", "mn", "direct"],
    ["none", "cn", "direct"],
  ]);
});

test("a prediction for other middleboxes than those that run is found out, both ways, and the results are kept", async () => {
  const open = planCell(middlebox("eim-eif"), middlebox("eim-eif"), "mn");
  const strict = planCell(middlebox("apdm-apdf"), middlebox("apdm-apdf"), "mn");
  const runtime = await createRuntime("netns", () => undefined);
  const { results, error } = await runMatrix({
    cells: [
      { ...open, prediction: strict.prediction },
      { ...strict, prediction: open.prediction },
    ],
    runtime,
    jobs: 2,
    timeoutMs: 60_000,
    timeouts: labTimeouts(1),
    signal: new AbortController().signal,
    directory: out.path,
    onProgress: () => undefined,
  });
  expect(error).toBeUndefined();
  expect(results.map(({ surprise, predicted, observed }) => ({ surprise, predicted, observed }))).toEqual([
    { surprise: "better", predicted: "home-agents", observed: "direct" },
    { surprise: "worse", predicted: "direct", observed: "home-agents" },
  ]);
  for (const { results: kept } of results)
    await Promise.all(
      ["report.html", "result.json", "topology.yaml", "events.ndjson"].map((file) =>
        access(join(out.path, kept ?? "", file)),
      ),
    );
});

test("an unknown middlebox is bad usage, and the nearest name is told", async () => {
  const { exitCode, stderr } = await runCli(["matrix", "--with", "eim-edf", "--runtime", "netns", "--out", out.path]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("no NAT or firewall is called eim-edf; did you mean eim-");
});

test("an interruption ends every lab, and the cells that were done are written", async () => {
  const run = startCli(["matrix", "--runtime", "netns", "--jobs", "4", "--out", out.path]);
  await new Promise((resolve) => run.stdout.once("data", resolve));
  await new Promise((resolve) => setTimeout(resolve, 3000));
  run.kill("SIGINT");
  const { exitCode } = await run;
  const { summary } = await latestMatrix();
  expect(exitCode).toBe(130);
  expect(summary.planned).toBe(81);
  expect(summary.notRun).toBeGreaterThan(60);
  const labs = await (await createRuntime("netns", () => undefined)).listLabs();
  expect(labs.filter(({ topology }) => topology.includes("-x-"))).toEqual([]);
});
