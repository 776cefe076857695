/** Starts programs of this machine. */

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { TestbedError } from "./errors.ts";
import { cureOf, systemCode } from "./system-error.ts";

/**
 * Awaits that the program runs which `spawn` starts. Throws `no-program` or `setup-failed` where the machine cannot
 * start it: without more files or processes a child has neither streams nor an error that anybody listens to. A pipe
 * that the program closes early is no error: how it ends says more.
 */
export async function started<Child extends ChildProcess>(program: string, spawn: () => Child): Promise<Child> {
  try {
    const child = spawn();
    child.stdin?.on("error", () => undefined);
    await once(child, "spawn");
    child.on("error", () => undefined);
    return child;
  } catch (cause) {
    throw startFailed(program, cause);
  }
}

function startFailed(program: string, cause: unknown): TestbedError {
  const found = cause instanceof Error ? cause.message : String(cause);
  const hint = cureOf(cause);
  return new TestbedError(
    systemCode(cause) === "ENOENT" ? "no-program" : "setup-failed",
    `expected to be able to start ${program}: ${found}`,
    { ...(hint === undefined ? {} : { hint }), cause },
  );
}
