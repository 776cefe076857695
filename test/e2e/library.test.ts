/** Every topology of the library is what it says: what the model predicts, what the file expects and what is observed agree. */

import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { topologyNames } from "../../orchestrator/commands/topology-files.ts";
import { runResultSchema } from "../../orchestrator/report/run-result.ts";
import { needs } from "../support/needs.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("netns");

let out: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  out = await temporaryDirectory();
});
afterAll(() => out.remove());

// At once, as many as vitest takes: most of a run is waiting for timers.
test.concurrent.each(await topologyNames())("%s: prediction, expectation and observation agree", expectAgreement);

async function expectAgreement(name: string): Promise<void> {
  const args = [name, "--runtime", "netns", "--json", "--no-capture", "--out", join(out.path, name)];
  const { exitCode, stdout, stderr } = await runCli(args);
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
  const result = runResultSchema.parse(JSON.parse(stdout));
  expect(result).toMatchObject({ topology: name, verdict: "pass", leftovers: [] });
  // An expectation for every session: nothing passes because it was predicted wrongly as well.
  const subjects = result.expectations.flatMap(({ subject }) => ("session" in subject ? [subject] : []));
  expect(subjects.map(({ session }) => session)).toEqual(
    expect.arrayContaining(result.sessions.map(({ name: session }) => session)),
  );
  for (const { event } of result.timeline) expect(subjects.map(({ after }) => after)).toContain(event);
  for (const { session, after, path, selected } of result.predicted) {
    const setUp = result.sessions.find((candidate) => candidate.name === session);
    const observed = after === undefined ? setUp : setUp?.outages.find(({ event }) => event === after);
    expect(observed?.path).toBe(path);
    if (selected) expect([observed?.selected?.local.type, observed?.selected?.remote.type]).toEqual(selected);
  }
}
