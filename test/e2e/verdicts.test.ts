/** Runs that fail: unmet expectations, nodes that die, interruptions, and labs that are kept. */

import { on } from "node:events";
import { readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect } from "vitest";
import { connectEngine } from "../../orchestrator/runtime/docker/engine.ts";
import { LABELS } from "../../orchestrator/runtime/docker/labels.ts";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import { objectsOfRun } from "../support/engine-objects.ts";
import { needs } from "../support/needs.ts";
import { latestResult, runCli, startCli, temporaryDirectory } from "../support/run-cli.ts";

const { describe, test } = await needs("engine");

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(() => directory.remove());

/** A modified topology of this repository, in a separate file. */
async function variant(name: string, changed: string, from: string | RegExp, to: string): Promise<string> {
  const text = await readFile(join(PACKAGE_ROOT, "topologies", `${name}.yaml`), "utf8");
  const replaced = text.replace(/^name: .*$/m, `name: ${changed}`).replace(from, to);
  await writeFile(join(directory.path, `${changed}.yaml`), replaced);
  return `${changed}.yaml`;
}

function run(file: string, ...args: readonly string[]) {
  return runCli([file, "--out", "results", ...args], { cwd: directory.path });
}

function result() {
  return latestResult(join(directory.path, "results"));
}

test("an unmet expectation fails the run and shows expected and observed", async () => {
  const file = await variant(
    "open-open",
    "hopeful",
    /expect:[^]*?\n(?=seed|$)/,
    "expect:\n  - { session: mn-cn, path: home-agents }\n",
  );
  const { exitCode, stdout } = await runCli([file, "--out", "results"], {
    cwd: directory.path,
    env: { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: join(directory.path, "summary.md") },
  });
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^::error file=hopeful\.yaml,line=\d+,.*expected home-agents, observed direct$/m);
  expect(await readFile(join(directory.path, "summary.md"), "utf8")).toContain("| fail | hopeful | mn-cn | direct |");
  expect(stdout).toMatch(/^fail +mn-cn +path of the data +direct +home-agents +direct +hopeful\.yaml:\d+$/m);
  expect(await result()).toMatchObject({
    verdict: "fail",
    expectations: [{ key: "path", expected: "home-agents", observed: "direct", verdict: "fail" }],
  });
  const junit = await readFile(join(directory.path, "results/latest/junit.xml"), "utf8");
  expect(junit).toContain('failures="1"');
});

test("a node that dies is an error with its last words; results are kept and everything is removed", async () => {
  const cli = startCli([await variant("nat-nat", "dying", "", ""), "--out", "results"], { cwd: directory.path });
  await containerOf("dying", "nat-b").then((container) => container.kill());
  const { exitCode, stderr } = await cli;
  expect(exitCode).toBe(3);
  expect(stderr).toMatch(/^error: node nat-b: it ended with exit code 137 before it was told to/);
  const { verdict, error, runId } = await result();
  expect(verdict).toBe("error");
  expect(error?.code).toBe("node-failed");
  expect(await readdir(join(directory.path, "results/latest"))).toEqual(
    expect.arrayContaining(["events.ndjson", "logs", "report.html", "result.json", "rules"]),
  );
  expect(await objectsOfRun(runId)).toEqual([]);
});

test("a run that takes longer than it may ends as timed out, and removes everything", async () => {
  const { exitCode, stderr } = await run(await variant("nat-nat", "hasty", "", ""), "--timeout", "0.6");
  expect(exitCode).toBe(3);
  expect(stderr).toContain("error: expected the run to end within 0.6 s, and it has not");
  expect(await result()).toMatchObject({ verdict: "error", error: { code: "timed-out" } });
  expect(await objectsOfRun("hasty")).toEqual([]);
});

describe("Ctrl-C", () => {
  test.each([
    ["while Node starts", undefined, 30],
    ["while the engine is asked for", undefined, 350],
    ["before the segments", /nat-nat|on docker/, 0],
    ["before the nodes", /segments:/, 0],
    ["while nodes start", /nodes:/, 0],
    ["some time later", /nodes:/, 700],
    ["after a registration", /registered/, 0],
    ["while checks are made", /check list/, 0],
    ["while data flows", /data goes directly/, 0],
    ["while everything is removed", /echo 20 of 20/, 100],
  ] as const)("%s ends with 130 and leaves nothing", async (moment, pattern, delayMs) => {
    const name = `stopped-${moment.replaceAll(" ", "-")}`.slice(0, 30);
    const cli = startCli([await variant("nat-nat", name, "", ""), "--out", "results"], { cwd: directory.path });
    if (pattern !== undefined) await printed(cli, pattern);
    await sleep(delayMs);
    cli.kill("SIGINT");
    const { exitCode, signal, stderr } = await cli;
    // At first Node has not read the program yet, and exits like any process.
    if (signal !== "SIGINT")
      expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: "error: interrupted by SIGINT" });
    expect(await objectsOfRun(name)).toEqual([]);
  });
});

test.each(["SIGTERM", "SIGHUP"] as const)("%s ends a run as Ctrl-C does", async (signal) => {
  const name = `stopped-by-${signal.toLowerCase()}`;
  const cli = startCli([await variant("nat-nat", name, "", ""), "--out", "results"], { cwd: directory.path });
  await printed(cli, /nodes:/);
  cli.kill(signal);
  const { exitCode, stderr } = await cli;
  expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: `error: interrupted by ${signal}` });
  expect(await result()).toMatchObject({ topology: name, verdict: "error", error: { code: "interrupted" } });
  expect(await objectsOfRun(name)).toEqual([]);
});

test("a kept lab stays until it is taken down by name", async () => {
  const file = await variant("open-open", "kept-open", "", "");
  const { exitCode, stdout } = await run(file, "--keep");
  expect(exitCode).toBe(0);
  const { runId } = await result();
  expect(stdout).toContain(`npm run testbed down ${runId} removes it`);
  expect((await objectsOfRun(runId)).length).toBeGreaterThan(4);
  const down = await runCli(["down", runId]);
  expect({ ...down, stdout: down.stdout.trim() }).toEqual({
    exitCode: 0,
    stdout: `removed ${runId} (kept-open)`,
    stderr: "",
  });
  expect(await objectsOfRun(runId)).toEqual([]);
});

test("a kept lab of namespaces stays, with its agents, until it is taken down", async () => {
  const { exitCode } = await run("open-open", "--keep", "--runtime", "netns");
  expect(exitCode).toBe(0);
  const { runId } = await result();
  try {
    // Long enough for an agent to exit if it treats the loss of the orchestrator as the end.
    await sleep(500);
    expect(await agentsOfLab(runId)).toHaveLength(4);
  } finally {
    expect((await runCli(["down", runId])).stdout).toContain(`removed ${runId} (open-open)`);
  }
  expect(await agentsOfLab(runId)).toEqual([]);
});

/** Pids of the agents in the PID namespace of a run's supervisor. */
async function agentsOfLab(runId: string): Promise<readonly string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const processes = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      return { pid, command: command.split("\0"), namespace: await readlink(`/proc/${pid}/ns/pid`).catch(() => "") };
    }),
  );
  const supervisor = processes.find(({ command }) => command[0] === "sh" && command.includes(`run=${runId}`));
  if (supervisor === undefined) return [];
  const { namespace } = supervisor;
  const isAgent = ({ command, ...process }: (typeof processes)[number]): boolean =>
    process.namespace === namespace && command.some((word) => word.endsWith("/agent.cjs"));
  return processes.filter(isAgent).map(({ pid }) => pid);
}

/** Waits until a node of a topology is running. */
async function containerOf(topology: string, node: string) {
  const { docker } = await connectEngine();
  for (;;) {
    const filters = { status: ["running"], label: [`${LABELS.topology}=${topology}`, `${LABELS.name}=${node}`] };
    const [found] = await docker.listContainers({ filters });
    if (found !== undefined) return docker.getContainer(found.Id);
    await sleep(20);
  }
}

/** Waits until the command line has printed a match. */
async function printed(cli: ReturnType<typeof startCli>, pattern: RegExp): Promise<void> {
  let text = "";
  for await (const [chunk] of on(cli.stdout, "data", { close: ["end"] }) as AsyncIterable<[Buffer]>) {
    text += chunk.toString();
    if (pattern.test(text)) return;
  }
  throw new Error(`expected output that matches ${pattern.source}, found ${text}${(await cli).stderr}`);
}
