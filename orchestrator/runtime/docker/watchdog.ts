/**
 * Cleans up after an orchestrator that was killed. A shell in its own session holds one end of a pipe; the kernel
 * closes the orchestrator's end however it exits. A line before end of file means that nothing is left to do; without
 * it the shell becomes the reaper, which removes the run's objects. Until then it costs nothing.
 */

import { spawn } from "node:child_process";
import { Socket } from "node:net";
import { join } from "node:path";
import type { Writable } from "node:stream";

export interface Watchdog {
  /** Ends it: nothing is left to remove. */
  readonly dismiss: () => void;
}

/** Waits for a line; at end of file without one, becomes the command in its arguments. */
const SCRIPT = 'read -r word || exec "$@"';

/** Starts the watchdog of one run; it does not keep this process alive. */
export function startWatchdog(endpoint: string, runId: string): Watchdog {
  const child = spawn("sh", ["-c", SCRIPT, "mice-testbed-watchdog", ...reaperCommand(endpoint, runId)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without a shell the run has no watchdog; the next run sweeps.
  child.on("error", () => undefined);
  child.unref();
  // With no more files to open, a child has no streams.
  const stdin = child.stdin as Writable | undefined;
  if (stdin === undefined) return { dismiss: () => undefined };
  if (stdin instanceof Socket) stdin.unref();
  stdin.on("error", () => {
    // It was killed; the next run sweeps.
  });
  return { dismiss: () => void stdin.end("dismissed\n") };
}

function reaperCommand(endpoint: string, runId: string): readonly string[] {
  return [process.execPath, join(import.meta.dirname, "reaper.ts"), endpoint, runId];
}
