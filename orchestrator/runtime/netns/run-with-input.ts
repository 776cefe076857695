import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { outside } from "./outside.ts";

/** How a program ended, and what it wrote to stderr. */
export interface Ended {
  readonly exitCode: number | null;
  readonly errors: string;
}

/**
 * Runs a program to its end with `input` on its stdin. If it does not read all of it, only its exit code counts.
 * `onStart` is given the process.
 */
export async function runWithInput(
  program: string,
  args: readonly string[],
  input: string,
  onStart: (child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  const child = spawn(program, args, { stdio: ["pipe", "ignore", "pipe"], ...outside() });
  onStart(child);
  child.stdin.on("error", () => {
    // EPIPE, such as in a lab that is removed while it is made.
  });
  child.stdin.end(input);
  const [errors] = await Promise.all([text(child.stderr), once(child, "close")]);
  return { exitCode: child.exitCode, errors };
}
