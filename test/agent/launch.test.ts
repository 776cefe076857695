/** The bundle as Node is started with it: what it keeps of the code that V8 made, and what it does with code it finds. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CODE_CACHE_VARIABLE } from "../../agent/src/control/index.ts";
import { type AgentBundle, buildAgentBundle } from "../../orchestrator/setup/bundle.ts";

let bundle: AgentBundle;
let codePath: string;

beforeEach(async () => {
  bundle = await buildAgentBundle(await mkdtemp(join(tmpdir(), "mice-launch-")));
  codePath = join(bundle.directory, "router.code");
});
afterEach(() => rm(bundle.directory, { recursive: true }));

/** Starts an agent, has it finish, and gives its exit code. */
async function runAgent(options: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) {
  const env = { [CODE_CACHE_VARIABLE]: codePath, ...environment };
  const agent = spawn(process.execPath, [bundle.entry, ...options], { env, stdio: ["pipe", "ignore", "inherit"] });
  agent.stdin.write(`${JSON.stringify({ type: "finish" })}\n`);
  const [exitCode] = (await once(agent, "exit")) as [number | null];
  return exitCode;
}

test("an agent that has done its work keeps its code, and the next one takes it as it is", async () => {
  expect(await runAgent()).toBe(0);
  const kept = await stat(codePath);
  expect(kept.size).toBeGreaterThan(100_000);
  expect(await runAgent()).toBe(0);
  expect((await stat(codePath)).mtimeMs).toBe(kept.mtimeMs);
});

test.each([
  ["of no use", "not code"],
  ["cut short", "\0".repeat(64)],
])("code that is %s is replaced", async (_, text) => {
  await writeFile(codePath, text);
  expect(await runAgent()).toBe(0);
  expect((await stat(codePath)).size).toBeGreaterThan(100_000);
  expect((await readdir(bundle.directory)).sort()).toEqual(["agent.cjs", "koffi.node", "program.cjs", "router.code"]);
});

test("where no code can be kept, an agent does its work without", async () => {
  codePath = join(bundle.directory, "missing", "router.code");
  expect(await runAgent()).toBe(0);
});

test("for an image, the code of every function is kept before any node has run", async () => {
  await runAgent();
  expect(await runAgent(["--warm"], { [CODE_CACHE_VARIABLE]: join(bundle.directory, "all.code") })).toBe(0);
  const all = await stat(join(bundle.directory, "all.code"));
  expect(all.size).toBeGreaterThan(1.5 * (await stat(codePath)).size);
  codePath = join(bundle.directory, "all.code");
  await runAgent();
  expect((await stat(codePath)).mtimeMs).toBe(all.mtimeMs);
});

test("an agent that lives on gives back the code that only its start needed", async () => {
  const agent = spawn(process.execPath, [bundle.entry], { stdio: ["pipe", "pipe", "inherit"] });
  const codeKibibytes = async () =>
    Number(/^RssFile:\s+(\d+)/m.exec(await readFile(`/proc/${agent.pid}/status`, "utf8"))?.[1]);
  try {
    await once(agent.stdout, "data");
    const started = await codeKibibytes();
    await expect.poll(codeKibibytes, { timeout: 20_000, interval: 50 }).toBeLessThan(0.8 * started);
    expect(agent.exitCode).toBeNull();
  } finally {
    agent.kill();
    await once(agent, "exit");
  }
});
