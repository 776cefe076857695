/** Starting the bundle with Node: the compile cache that it keeps, and the stack trace of a crash. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type AgentBundle, buildAgentBundle } from "../../orchestrator/setup/bundle.ts";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";

/** A script that makes an agent crash while it starts. */
const CRASH = `
  const { once } = process;
  process.once = (name, listener) => {
    if (name === "SIGTERM") throw new Error("planned");
    return once.call(process, name, listener);
  };`;

let bundle: AgentBundle;

beforeEach(async () => {
  bundle = await buildAgentBundle(await mkdtemp(join(tmpdir(), "mice-launch-")));
});
afterEach(() => rm(bundle.directory, { recursive: true }));

/** Starts an agent and ends it; returns its exit code and output. `before` is a script that runs first. */
async function runAgent(before = "") {
  const preload = `data:text/javascript,${encodeURIComponent(before)}`;
  const agent = spawn(process.execPath, ["--import", preload, bundle.entry], { stdio: "pipe" });
  agent.stdin.on("error", () => undefined).end(`${JSON.stringify({ type: "finish" })}\n`);
  const [stdout, stderr] = await Promise.all([text(agent.stdout), text(agent.stderr), once(agent, "exit")]);
  return { exitCode: agent.exitCode, stdout, stderr };
}

/** Path and modification time of every file in the cache. */
async function cachedCode(): Promise<readonly (readonly [path: string, changedAtMs: number])[]> {
  const directory = join(bundle.directory, "code");
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(paths.map(async (path) => [path, (await stat(path)).mtimeMs] as const));
}

test("an agent that has done its work keeps its code, and the next one takes it as it is", async () => {
  expect(await runAgent()).toMatchObject({ exitCode: 0, stderr: "" });
  const kept = await cachedCode();
  expect(kept).toHaveLength(1);
  expect((await stat(kept[0]?.[0] ?? "")).size).toBeGreaterThan(100_000);
  expect(await runAgent()).toMatchObject({ exitCode: 0, stderr: "" });
  expect(await cachedCode()).toEqual(kept);
});

test.each([
  ["of no use", "not code"],
  ["cut short", "\0".repeat(64)],
])("code that is %s is replaced", async (_, content) => {
  await runAgent();
  const path = (await cachedCode())[0]?.[0] ?? "";
  await writeFile(path, content);
  expect(await runAgent()).toMatchObject({ exitCode: 0, stderr: "" });
  expect((await stat(path)).size).toBeGreaterThan(100_000);
  expect(await cachedCode()).toHaveLength(1);
});

test("where no code can be kept, an agent does its work without", async () => {
  await writeFile(join(bundle.directory, "code"), "not a directory");
  expect(await runAgent()).toMatchObject({ exitCode: 0, stderr: "" });
});

test("a crash is reported in lines of the sources", async () => {
  const { exitCode, stdout, stderr } = await runAgent(CRASH);
  expect(exitCode).toBe(70);
  const [, path = "", line] = /\((agent\/src\/\S+\.ts):(\d+):/.exec(stderr) ?? [];
  const source = await readFile(join(PACKAGE_ROOT, path), "utf8");
  expect(source.split("\n")[Number(line) - 1]).toContain('.once("SIGTERM"');
  const [, fatal = ""] = stdout.trimEnd().split("\n");
  expect(JSON.parse(fatal)).toEqual({ type: "fatal", code: "crash", message: stderr.trimEnd() });
});

test("a crash is reported in lines of the program where its source map is missing", async () => {
  await rm(join(bundle.directory, "program.cjs.map"));
  const { exitCode, stderr } = await runAgent(CRASH);
  expect(exitCode).toBe(70);
  expect(stderr).toContain("Error: planned");
  expect(stderr).toMatch(/program\.cjs:\d+:\d+/);
});
