import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { readExample } from "../../tools/example/example.ts";
import { needs } from "../support/needs.ts";
import { runCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("netns");

let out: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  out = await temporaryDirectory();
});
afterAll(() => out.remove());

test("a run of nat-nat sends what the example of the agent's README shows", async () => {
  const { exitCode } = await runCli(["nat-nat", "--runtime", "netns", "--out", out.path]);
  expect(exitCode).toBe(0);
  const { flow } = await readExample(join(out.path, "latest/capture.pcapng"));
  expect(flow).toEqual((await readExample()).flow);
});
