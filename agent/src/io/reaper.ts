/**
 * The first process of a container inherits every orphan in it and must collect them when they end, or they stay as
 * zombies. Node waits for its own children only.
 */

import { readdirSync, readFileSync } from "node:fs";
import { runningPids } from "./command.ts";
import { libc } from "./native.ts";

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

/** `pid (name) state ppid …`; a name may hold spaces and parentheses, so what follows the last one counts. */
function isZombieChild(pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" && Number(parent) === process.pid;
  } catch {
    return false;
  }
}
