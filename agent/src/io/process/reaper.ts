/**
 * The first process of a container inherits every orphan in it and must reap them when they end, or they remain as
 * zombies. Node waits only for its own children.
 */

import { readdirSync } from "node:fs";
import { libc } from "../native/native.ts";
import { runningPids } from "./command.ts";
import { processState } from "./process-state.ts";

const WNOHANG = 1;

/** Reaps orphans from now on; does nothing unless this is the first process. */
export function reapOrphans(): void {
  if (process.pid !== 1) return;
  process.on("SIGCHLD", () => {
    const own = runningPids();
    for (const pid of zombies()) if (!own.has(pid)) libc().waitpid(pid, null, WNOHANG);
  });
}

/** Ended children of this process that have not been waited for. */
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
