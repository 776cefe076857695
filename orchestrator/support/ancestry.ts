/**
 * Notices the end of the processes that started this one. Under `npm run` signals stop at npm: SIGTERM or SIGKILL of npm
 * leaves the shell and this process running, with nobody to tell them. Their loss is therefore watched for.
 */

import { currentProcess, isProcessAlive, type ProcessIdentity, readProcess } from "./process-identity.ts";

/** How often the ancestors are looked at: two small reads from /proc, about 20 µs. */
const INTERVAL_MS = 100;

/** Shells that a package manager puts between itself and a script. */
const SHELLS: ReadonlySet<string> = new Set(["sh", "dash", "bash", "ash", "busybox", "zsh"]);

/**
 * Calls `onLost` once when the package manager that runs this process, or the shell between the two, is gone. Does
 * nothing when no package manager is there, so that `nohup` and `setsid` mean what they always do. Returns a function
 * that ends the watch; the watch itself keeps no process alive.
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
  // Gone already: an identity that is never alive makes the first look report it.
  if (parent === undefined) return [{ pid: process.ppid, startTicks: "gone", bootId }];
  const identities = [{ pid: process.ppid, startTicks: parent.startTicks, bootId }];
  const grandparent = SHELLS.has(parent.name) ? readProcess(parent.parentPid) : undefined;
  if (grandparent === undefined) return identities;
  return [...identities, { pid: parent.parentPid, startTicks: grandparent.startTicks, bootId }];
}
