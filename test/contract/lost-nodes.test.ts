/** Nodes that are stopped, paused or cut off during a run: they are named at once, and nothing of them stays. */

import { readdir, readFile, readlink } from "node:fs/promises";
import { execa } from "execa";
import { afterAll, beforeAll, expect } from "vitest";
import { connectEngine, type Engine } from "../../orchestrator/runtime/docker/engine.ts";
import { LABELS } from "../../orchestrator/runtime/docker/labels.ts";
import { ensureImage } from "../../orchestrator/setup/images.ts";
import { objectsOfRun } from "../support/engine-objects.ts";
import { needs } from "../support/needs.ts";
import { latestResult, startCli, temporaryDirectory } from "../support/run-cli.ts";

const { describe, test } = await needs("root", "engine", "netns");

/** A run that goes on until the node is missed: its agents look for a direct path for some seconds. */
const TOPOLOGY = "symmetric-symmetric";

/** From the moment at which a node stops until the run names it. */
const NAMED_WITHIN_MS = 3000;

let out: Awaited<ReturnType<typeof temporaryDirectory>>;
let engine: Engine;

beforeAll(async () => {
  out = await temporaryDirectory();
  engine = await connectEngine();
  await ensureImage(engine, "node", () => undefined);
});
afterAll(() => out.remove());

interface StartedRun {
  readonly cli: ReturnType<typeof startCli>;
  readonly runId: string;
  /** Everything printed so far. */
  readonly output: () => string;
}

/** Starts a run and waits until its sessions are being set up. */
async function startRun(runtime: string): Promise<StartedRun> {
  const cli = startCli([TOPOLOGY, "--runtime", runtime, "--out", out.path], { cwd: out.path });
  let text = "";
  for (const stream of [cli.stdout, cli.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await expect.poll(() => text, { timeout: 60_000, interval: 10 }).toMatch(/check list/);
  const runId = /run (\S+)/.exec(text)?.[1] ?? "";
  return { cli, runId, output: () => text };
}

/** Does something to a run, and returns how it ended and how long that took. */
async function endedBy({ cli, output }: StartedRun, act: () => Promise<unknown>) {
  const from = performance.now();
  await act();
  await expect.poll(output, { timeout: 30_000, interval: 20 }).toMatch(/error: node/);
  const namedAfterMs = performance.now() - from;
  const { exitCode, stderr } = await cli;
  return { exitCode, stderr, namedAfterMs };
}

describe("on netns", () => {
  test("a node whose process is stopped is named, and all of its lab is removed", async () => {
    const run = await startRun("netns");
    const { agent, namespaces } = await agentOf(run.runId, "nat-a");
    const { exitCode, stderr, namedAfterMs } = await endedBy(run, () =>
      Promise.resolve(process.kill(agent, "SIGSTOP")),
    );
    expect(stderr).toMatch(/^error: node nat-a: it has been silent for \d\.\d s: its process is stopped/);
    expect(exitCode).toBe(3);
    expect(namedAfterMs).toBeLessThan(NAMED_WITHIN_MS);
    // The kernel takes a moment to end processes that were killed.
    await expect.poll(() => processesIn(namespaces), { timeout: 1000 }).toEqual([]);
    expect(await latestResult(out.path)).toMatchObject({ verdict: "error", error: { code: "node-failed" } });
  });

  test("what a stopped node keeps after the end of its run by SIGKILL, the next run removes", async () => {
    const run = await startRun("netns");
    const { agent, namespaces } = await agentOf(run.runId, "nat-a");
    process.kill(agent, "SIGSTOP");
    run.cli.kill("SIGKILL");
    await run.cli;
    // The program that waits for the stopped one is stopped too, and keeps the lab's namespaces.
    expect(await processesIn(namespaces)).toContainEqual(expect.stringMatching(/^nsenter /));
    const next = await startCli(["open-open", "--runtime", "netns", "--out", out.path], { cwd: out.path });
    expect(next.exitCode, next.stderr).toBe(0);
    expect(next.stdout).toContain(`removed what run ${run.runId} (${TOPOLOGY}) had left behind`);
    // The kernel takes a moment to end processes that were killed.
    await expect.poll(() => processesIn(namespaces), { timeout: 1000 }).toEqual([]);
  });

  test.each([
    ["set down", ["set", "p1", "down"], "without a carrier"],
    ["deleted", ["del", "p1"], "gone"],
  ])("a node whose cable is %s is named, with its segment", async (_, change, found) => {
    const run = await startRun("netns");
    const supervisor = await supervisorOf(run.runId);
    const { exitCode, stderr, namedAfterMs } = await endedBy(run, () =>
      execa("nsenter", [`--net=/proc/${supervisor}/ns/net`, "ip", "link", ...change]),
    );
    expect(stderr).toMatch(
      new RegExp(
        `^error: node \\S+: segment-lost: expected to stay on the segment \\S+, found its interface \\S+ ${found}`,
      ),
    );
    expect(exitCode).toBe(3);
    expect(namedAfterMs).toBeLessThan(NAMED_WITHIN_MS);
  });
});

describe("on Docker", () => {
  test("a node whose container is paused is named, and everything is removed", async () => {
    const run = await startRun("docker");
    const { exitCode, stderr, namedAfterMs } = await endedBy(run, async () => (await containerOf("nat-a")).pause());
    expect(stderr).toMatch(/^error: node nat-a: it has been silent for \d\.\d s: its container is paused/);
    expect(exitCode).toBe(3);
    expect(namedAfterMs).toBeLessThan(NAMED_WITHIN_MS);
    expect(await objectsOfRun(run.runId)).toEqual([]);
  });

  test("a node whose process is stopped is named, and everything is removed", async () => {
    const run = await startRun("docker");
    const container = await containerOf("nat-a");
    const { State: state } = await container.inspect();
    const { stderr, namedAfterMs } = await endedBy(run, () => Promise.resolve(process.kill(state.Pid, "SIGSTOP")));
    expect(stderr).toMatch(/^error: node nat-a: it has been silent for \d\.\d s: its process is stopped/);
    expect(namedAfterMs).toBeLessThan(NAMED_WITHIN_MS);
    expect(await objectsOfRun(run.runId)).toEqual([]);
  });
});

async function containerOf(node: string) {
  const filters = { label: [`${LABELS.topology}=${TOPOLOGY}`, `${LABELS.name}=${node}`] };
  const [found] = await engine.docker.listContainers({ filters });
  if (found === undefined) throw new Error(`no container of ${node}`);
  return engine.docker.getContainer(found.Id);
}

interface LabProcess {
  readonly pid: number;
  readonly words: readonly string[];
  /** Identities of its namespaces, such as `net:[4026531840]`. */
  readonly namespaces: readonly string[];
}

async function allProcesses(): Promise<readonly LabProcess[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  return Promise.all(
    pids.map(async (pid) => ({
      pid: Number(pid),
      words: (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0"),
      namespaces: await Promise.all(
        ["net", "mnt", "pid"].map((kind) => readlink(`/proc/${pid}/ns/${kind}`).catch(() => "")),
      ),
    })),
  );
}

async function supervisorOf(runId: string): Promise<number> {
  const found = (await allProcesses()).find(({ words }) => words[0] === "sh" && words.includes(`run=${runId}`));
  if (found === undefined) throw new Error(`no supervisor of ${runId}`);
  return found.pid;
}

/** The process of a node's agent, and the namespaces of its lab that the machine's processes are not in. */
async function agentOf(runId: string, node: string) {
  const processes = await allProcesses();
  const own = processes.find(({ pid }) => pid === process.pid)?.namespaces ?? [];
  const supervisor = processes.find(({ words }) => words[0] === "sh" && words.includes(`run=${runId}`));
  const entered = processes.find(
    ({ words }) => words[0] === "nsenter" && words.includes(`run=${runId}`) && words.includes(node),
  );
  const agent = await childOf(entered?.pid ?? 0);
  const namespaces = [
    ...(supervisor?.namespaces ?? []),
    ...(processes.find(({ pid }) => pid === agent)?.namespaces ?? []),
  ];
  return { agent, namespaces: namespaces.filter((namespace) => namespace !== "" && !own.includes(namespace)) };
}

async function childOf(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim());
}

/** Command lines; a zombie has none, runs nothing, and is collected by its parent when that has time. */
async function processesIn(namespaces: readonly string[]): Promise<readonly string[]> {
  const inside = (await allProcesses()).filter((process) => process.namespaces.some((own) => namespaces.includes(own)));
  return inside.map(({ words }) => words.join(" ")).filter((commandLine) => commandLine !== "");
}
