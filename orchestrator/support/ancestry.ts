/**
 * Detects the end of the processes that started this one. Under `npm run` signals stop at npm: SIGTERM or SIGKILL of
 * npm leaves the shell and this process running without notice. They are therefore polled.
 */

import { currentProcess, isProcessAlive, type ProcessIdentity, readProcess } from "./process-identity.ts";

/** How often the ancestors are checked: two small reads from /proc, about 20 µs. */
const INTERVAL_MS = 100;

/** Shells that a package manager puts between itself and a script. */
const SHELLS: ReadonlySet<string> = new Set(["sh", "dash", "bash", "ash", "busybox", "zsh"]);

/**
 * Calls `onLost` once when the package manager that runs this process, or the shell between the two, is gone. Does
 * nothing without a package manager, so that `nohup` and `setsid` work as usual. Returns a function that ends the
 * watch; the watch does not keep this process alive.
 */
export function watchAncestry(onLost: () => void): () => void {
  if (process.env["npm_lifecycle_event"] === undefined) return () => undefined;
  const ancestors = packageManagerAncestors();
  const timer = setInterval(() => {
    if (ancestors.every(isProcessAlive) && process.ppid === ancestors[0]?.pid) return;
    clearInterval(timer);
    onLost();
  }, INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** The parent and, when that is the script's shell, the parent's parent. */
function packageManagerAncestors(): readonly ProcessIdentity[] {
  const { bootId } = currentProcess();
  const parent = readProcess(process.ppid);
  // Gone already: an identity that is never alive makes the first check report it.
  if (parent === undefined) return [{ pid: process.ppid, startTicks: "gone", bootId }];
  const identities = [{ pid: process.ppid, startTicks: parent.startTicks, bootId }];
  const grandparent = SHELLS.has(parent.name) ? readProcess(parent.parentPid) : undefined;
  if (grandparent === undefined) return identities;
  return [...identities, { pid: parent.parentPid, startTicks: grandparent.startTicks, bootId }];
}
