/** An engine that falls silent or closes its connections while a lab runs: it is named, and nothing is left. */

import { afterEach, beforeEach, expect, vi } from "vitest";
import { connectEngine, engineEndpoint } from "../../orchestrator/runtime/docker/engine.ts";
import { findRuns } from "../../orchestrator/runtime/docker/removal.ts";
import { ensureImage } from "../../orchestrator/setup/images.ts";
import { type EngineProxy, startEngineProxy } from "../support/engine-proxy.ts";
import { needs } from "../support/needs.ts";
import { startCli, temporaryDirectory } from "../support/run-cli.ts";

const { test } = await needs("engine");

/** Three looks of five seconds for the engine, and the end of the steps under way. */
const END_TIMEOUT_MS = 60_000;

let proxy: EngineProxy;
let out: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeEach(async () => {
  await ensureImage(await connectEngine(), "node", () => undefined);
  proxy = await startEngineProxy(engineEndpoint().replace("unix://", ""));
  out = await temporaryDirectory();
});
afterEach(async () => {
  await proxy.close();
  await out.remove();
});

/** Starts a run through the proxy, and waits until it has printed a word. */
async function startRun(word: string, ...options: readonly string[]) {
  const args = ["symmetric-symmetric", "--runtime", "docker", "--out", out.path, ...options];
  const run = startCli(args, { env: { DOCKER_HOST: proxy.endpoint } });
  const runId = await new Promise<string>((resolve, reject) => {
    let text = "";
    run.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const [, id] = / run (\S+)\n/.exec(text) ?? [];
      if (id !== undefined && text.includes(word)) resolve(id);
    });
    void run.then(({ stderr }) => reject(new Error(`ended before ${word}: ${stderr}`)));
  });
  return { run, runId };
}

async function expectNothingLeft(runId: string): Promise<void> {
  const engine = await connectEngine();
  await vi.waitFor(async () => expect((await findRuns(engine)).map((run) => run.runId)).not.toContain(runId), {
    timeout: 60_000,
    interval: 500,
  });
}

test("connections that are cut: the engine is the error, and the lab is removed over new ones", {
  timeout: 2 * END_TIMEOUT_MS,
}, async () => {
  const { run, runId } = await startRun("mn: registered");
  proxy.reset();
  const { exitCode, stderr } = await run;
  expect({ exitCode, stderr }).toEqual({
    exitCode: 3,
    stderr: expect.stringMatching(/^error: the Docker engine closed its connection to (node|host program) /) as string,
  });
  await expectNothingLeft(runId);
});

test("silence: the run ends, the engine is the error, and the watchdog removes the lab later", {
  timeout: 4 * END_TIMEOUT_MS,
}, async () => {
  const { run, runId } = await startRun("nodes:", "--timeout", "10");
  proxy.stall();
  const startedAt = performance.now();
  const { exitCode, stderr } = await run;
  expect(performance.now() - startedAt).toBeLessThan(END_TIMEOUT_MS);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 3,
    stderr: expect.stringMatching(/^error: the (Docker )?engine /) as string,
  });
  proxy.pass();
  await expectNothingLeft(runId);
});
