/** However a run ends, nothing of it remains: real runs of the command line, ended at random moments. */

import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { NetworkInspectInfo } from "dockerode";
import { afterAll, beforeAll, expect } from "vitest";
import { connectEngine, type Engine } from "../../orchestrator/runtime/docker/engine.ts";
import { LABELS } from "../../orchestrator/runtime/docker/labels.ts";
import { ensureImage } from "../../orchestrator/setup/images.ts";
import { readProcess } from "../../orchestrator/support/process-identity.ts";
import { needs } from "../support/needs.ts";

const { describe, test } = await needs("engine", "netns");

const PACKAGE_ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** How long removal may take: the engine finishes what it was doing, about a second, then the reaper runs. */
const GONE_WITHIN_MS = 15_000;

let engine: Engine;
let out: string;

beforeAll(async () => {
  engine = await connectEngine();
  await ensureImage(engine, "node", () => undefined);
  out = await mkdtemp(join(tmpdir(), "mice-cleanup-"));
});
afterAll(() => rm(out, { recursive: true, force: true }));

/** A run in progress, under npm as users start it. */
interface StartedRun {
  readonly npm: ChildProcess;
  /** Pid of the command line process, below npm and its shell. */
  readonly cli: number;
  /** Everything printed so far. */
  readonly output: () => string;
  readonly untilPrinted: (pattern: RegExp) => Promise<void>;
}

/** Unplanned ways in which a run can end. */
const ENDS: Readonly<Record<string, (run: StartedRun) => void>> = {
  "Ctrl-C, which reaches the whole process group": ({ npm }) => process.kill(-pidOf(npm), "SIGINT"),
  "Ctrl-C twice, the second time while it cleans up": ({ npm }) => {
    process.kill(-pidOf(npm), "SIGINT");
    setTimeout(() => {
      if (npm.exitCode === null && npm.signalCode === null) process.kill(-pidOf(npm), "SIGINT");
    }, 1100);
  },
  "SIGTERM to npm alone, as from a cancelled CI job": ({ npm }) => npm.kill("SIGTERM"),
  "SIGKILL of npm alone": ({ npm }) => npm.kill("SIGKILL"),
  "SIGKILL of the command line alone": ({ cli }) => process.kill(cli, "SIGKILL"),
  "SIGKILL of the whole process group": ({ npm }) => process.kill(-pidOf(npm), "SIGKILL"),
  "SIGHUP of the command line, as from a closed terminal": ({ cli }) => process.kill(cli, "SIGHUP"),
};

/** The topology: agents look for a direct path for two seconds, so no run is over before the test ends it. */
const TOPOLOGY = "symmetric-symmetric";

/** Steps after which a run is ended, by its output, and the time that may pass until the next step. */
const MOMENTS = [
  { step: "docker makes segments", runtime: "docker", pattern: /symmetric on docker/, withinMs: 300 },
  { step: "docker makes and starts nodes", runtime: "docker", pattern: /nodes:/, withinMs: 2500 },
  { step: "netns makes and starts nodes", runtime: "netns", pattern: /symmetric on netns/, withinMs: 1000 },
];

describe.each(Object.entries(ENDS))("after %s", (_, end) => {
  test.each(MOMENTS)("while $step, nothing is left", async ({ runtime, pattern, withinMs }) => {
    const run = await startRun(runtime);
    const delayMs = randomInt(withinMs);
    await run.untilPrinted(pattern);
    await sleep(delayMs);
    end(run);
    await expectNothingLeft(run, `ended ${delayMs} ms after ${String(pattern)}`);
  });
});

test("a run that is interrupted ends with exit code 130", async () => {
  const run = await startRun("docker");
  await run.untilPrinted(/nodes:/);
  expect(await objectsOf(run.cli), "what the other tests look for").toHaveLength(9);
  const exited = once(run.npm, "exit");
  process.kill(run.cli, "SIGINT");
  expect(await exited).toEqual([130, null]);
  expect(await objectsOf(run.cli)).toEqual([]);
});

async function startRun(runtime: string): Promise<StartedRun> {
  const npm = spawn("npm", ["run", "testbed", "--", TOPOLOGY, "--runtime", runtime, "--out", out], {
    cwd: PACKAGE_ROOT,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  }
  const untilPrinted = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(text)) {
      if (npm.exitCode !== null) throw new Error(`ended before ${String(pattern)}:\n${text}`);
      await sleep(10);
    }
  };
  await untilPrinted(/> node /);
  for (;;) {
    const cli = await findDescendant(pidOf(npm), "orchestrator/launch.js");
    if (cli !== undefined) return { npm, cli, output: () => text, untilPrinted };
    await sleep(20);
  }
}

async function expectNothingLeft({ cli, npm, output }: StartedRun, when: string): Promise<void> {
  const left = async (): Promise<readonly string[]> => {
    const runId = /run (\S+)/.exec(output())?.[1];
    const guards = runId === undefined ? [] : await processesNaming(runId);
    const programs = [cli, pidOf(npm)].filter((pid) => readProcess(pid) !== undefined);
    return [...(await objectsOf(cli)), ...[...guards, ...programs].map((pid) => `process ${pid}`)];
  };
  const quietFrom = await untilEmpty(left);
  // Requests that were pending in the engine at the end would show now.
  if (quietFrom) await sleep(1500);
  const still = await left();
  const miscounted = still.length === 0 ? [] : await networksTheEngineMiscounts(cli);
  if (miscounted.length > 0) console.warn(`the engine has lost count of ${miscounted.join(", ")} (its bug moby#42119)`);
  expect(
    still.filter((name) => !miscounted.includes(name)),
    when,
  ).toEqual([]);
}

/** Whether nothing was left within the time. */
async function untilEmpty(left: () => Promise<readonly string[]>): Promise<boolean> {
  const giveUpAt = performance.now() + GONE_WITHIN_MS;
  while ((await left()).length > 0) {
    if (performance.now() > giveUpAt) return false;
    await sleep(250);
  }
  return true;
}

/** Empty networks that the engine nevertheless refuses to remove. One that it does remove was forgotten by the run. */
async function networksTheEngineMiscounts(ownerPid: number): Promise<readonly string[]> {
  const networks = await engine.docker.listNetworks({ filters: { label: [`${LABELS.ownerPid}=${ownerPid}`] } });
  const refused = await Promise.all(
    networks.map(async ({ Id, Name }) => {
      const network = engine.docker.getNetwork(Id);
      const info: NetworkInspectInfo = await network.inspect();
      const answer = await network.remove().then(
        () => "removed",
        (error: unknown) => String(error),
      );
      return Object.keys(info.Containers ?? {}).length === 0 && answer.includes("has active endpoints") ? [Name] : [];
    }),
  );
  return refused.flat();
}

/** Containers and networks created by the process with this pid. */
async function objectsOf(ownerPid: number): Promise<readonly string[]> {
  const filters = { label: [`${LABELS.ownerPid}=${ownerPid}`] };
  const containers = await engine.docker.listContainers({ all: true, filters });
  const networks = await engine.docker.listNetworks({ filters });
  return [...containers.flatMap(({ Names }) => Names), ...networks.map(({ Name }) => Name)];
}

/** Watchdogs and reapers have the run's id on their command lines, namespace supervisors have `run=<id>`. */
async function processesNaming(runId: string): Promise<readonly number[]> {
  const pids = await allPids();
  const lines = await Promise.all(pids.map(commandLine));
  return pids.filter((_, i) => lines[i]?.some((word) => word === runId || word === `run=${runId}`) === true);
}

/** The process below `ancestor` whose command line contains `word` and which is Node, not the shell around it. */
async function findDescendant(ancestor: number, word: string): Promise<number | undefined> {
  for (const pid of await allPids()) {
    if ((await commandLine(pid)).includes(word) && isDescendant(pid, ancestor)) return pid;
  }
  return undefined;
}

async function allPids(): Promise<readonly number[]> {
  return (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry)).map(Number);
}

async function commandLine(pid: number): Promise<readonly string[]> {
  return (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
}

function isDescendant(pid: number, ancestor: number): boolean {
  for (let current = pid; current > 1; current = readProcess(current)?.parentPid ?? 0) {
    if (current === ancestor) return true;
  }
  return false;
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error("the process did not start");
  return pid;
}
