import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadTopologies } from "../../../orchestrator/commands/load-topologies.ts";
import { TestbedError } from "../../../orchestrator/support/errors.ts";
import { unknownKeys } from "../topology/large-topologies.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "mice-load-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("of thousands of problems the first twenty are told, and how many there are", async () => {
  await writeFile(join(directory, "t.yaml"), unknownKeys(5000));
  const loading = loadTopologies(["t.yaml"], { directory });
  const told = await loading.then(
    () => "nothing",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const [heading, ...problems] = told.split("\n");
  expect(heading).toBe("5000 problems, of which these are the first 20; nothing was created");
  expect(problems).toHaveLength(20);
  expect(problems[0]).toMatch(/^t\.yaml:5:1 key0: expected a known key; found `key0`/);
});

test("an interruption ends the wait for a file", async () => {
  const interrupted = new TestbedError("interrupted", "interrupted by SIGINT");
  const loading = loadTopologies(["nat-nat"], { directory, signal: AbortSignal.abort(interrupted) });
  await expect(loading).rejects.toBe(interrupted);
});
