/**
 * The first process of a container inherits every orphan in it and must collect them when they end, or they stay as
 * zombies. Node waits for its own children only.
 */

import { readdirSync } from "node:fs";
import { libc } from "../native/native.ts";
import { runningPids } from "./command.ts";
import { processState } from "./process-state.ts";

const WNOHANG = 1;

/** Collects orphans from here on; does nothing in a process that is not the first one. */
export function reapOrphans(): void {
  if (process.pid !== 1) return;
  process.on("SIGCHLD", () => {
    const own = runningPids();
    for (const pid of zombies()) if (!own.has(pid)) libc().waitpid(pid, null, WNOHANG);
  });
}

/** Ended children of this process that nobody has waited for. */
function zombies(): readonly number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => isZombieChild(pid))
    .map(Number);
}

function isZombieChild(pid: string): boolean {
  const found = processState(pid);
  return found?.state === "Z" && found.parentPid === process.pid;
}
