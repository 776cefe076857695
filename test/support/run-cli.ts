/** The real command line as a child process, as users start it. */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { type RunResult, runResultSchema } from "../../orchestrator/report/run-result.ts";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";

export interface CliResult {
  /** As in a shell, 128 + signal number when a signal ended the process. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

type CliOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** Starts the command line; never rejects. */
export function startCli(args: readonly string[], { cwd = PACKAGE_ROOT, env = {} }: CliOptions = {}) {
  const launcher = join(PACKAGE_ROOT, "orchestrator/launch.js");
  // Relative paths start where npm was called: these tests may themselves run under npm, and mean `cwd`.
  const environment = { INIT_CWD: cwd, npm_lifecycle_event: undefined, NO_COLOR: "1", ...env };
  return execa(process.execPath, [launcher, ...args], {
    cwd,
    env: environment,
    reject: false,
    stdin: "ignore",
    // A run ends by itself after SIGTERM; on a busy engine, removing a lab takes longer than execa's five seconds.
    forceKillAfterDelay: false,
  });
}

/** Runs the command line to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { exitCode = -1, stdout, stderr } = await startCli(args, options);
  return { exitCode, stdout, stderr };
}

/** A results directory, deleted with `remove`. */
export async function temporaryDirectory(): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "mice-e2e-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** `result.json` of the newest run under `out`, checked against its schema. */
export async function latestResult(out: string): Promise<RunResult> {
  return runResultSchema.parse(JSON.parse(await readFile(join(out, "latest/result.json"), "utf8")));
}
