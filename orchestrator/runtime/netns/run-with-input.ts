import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { started } from "../../support/start-process.ts";
import { outside } from "./outside.ts";

/** How a program ended, and what it wrote to stderr. */
export interface Ended {
  readonly exitCode: number | null;
  readonly errors: string;
}

/**
 * Runs a program to its end with `input` on its stdin. If it does not read all of it, only its exit code counts.
 * `onStart` is given the process. Throws where it cannot be started.
 */
export async function runWithInput(
  program: string,
  args: readonly string[],
  input: string | Uint8Array,
  onStart: (child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  const child = await started(program, () => {
    const starting = spawn(program, args, { stdio: ["pipe", "ignore", "pipe"], ...outside() });
    onStart(starting);
    return starting;
  });
  child.stdin.end(input);
  const [errors] = await Promise.all([text(child.stderr), once(child, "close")]);
  return { exitCode: child.exitCode, errors };
}
