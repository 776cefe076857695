/** Programs that the node runs. None outlives the agent. */

import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

/** How a program ended, with its output. `code` is undefined when it could not be started. */
export interface CommandResult {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<ChildProcess>();

/** Runs a program to completion with `stdin` as its input. Never rejects: failure to start is a result too. */
export function run(program: string, args: readonly string[], stdin = ""): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = start(program, args);
    const stdout = collect(child.stdout);
    const stderr = collect(child.stderr);
    child.once("error", (error) => {
      resolve({ code: undefined, stdout: "", stderr: error.message });
    });
    child.once("close", (code, signal) => {
      const why = signal === null ? "" : `killed by ${signal}`;
      resolve({ code: code ?? -1, stdout: stdout(), stderr: stderr() + why });
    });
    child.stdin.end(stdin);
  });
}

function start(program: string, args: readonly string[]): ChildWithPipes {
  return adopt(spawn(program, args, { stdio: "pipe", env: { ...process.env, LC_ALL: "C" } }));
}

type ChildWithPipes = ChildProcessByStdio<Writable, Readable, Readable>;

/** Sees to it that a child is killed when the agent exits. */
export function adopt(child: ChildWithPipes): ChildWithPipes {
  running.add(child);
  const forget = (): void => void running.delete(child);
  child.once("close", forget).once("error", forget);
  // EPIPE from a program that does not read all of its input: its exit code says more.
  child.stdin.on("error", () => undefined);
  return child;
}

/** Process ids of running programs, whose exit the event loop handles. */
export function runningPids(): ReadonlySet<number> {
  return new Set([...running].flatMap(({ pid }) => (pid === undefined ? [] : [pid])));
}

/** Kills all running programs, as the agent exits. */
export function killAll(): void {
  for (const child of running) child.kill("SIGKILL");
}

function collect(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString("utf8");
}
