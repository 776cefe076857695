/** Distinguishes a process from a later one with the same pid, so that a dead owner is never taken for a live one. */

import { readFileSync } from "node:fs";

/** A process of this machine; the same shape as `OwnerIdentity` of the runtime port. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot (`/proc/<pid>/stat` field 22); empty where there is no /proc. */
  readonly startTicks: string;
  /** `/proc/sys/kernel/random/boot_id`; empty where there is no /proc. */
  readonly bootId: string;
}

/** What the kernel reports about a process; absent once it is gone or a zombie. */
export interface ProcessStatus {
  readonly name: string;
  readonly parentPid: number;
  readonly startTicks: string;
  /** By a signal such as SIGSTOP: state `T` of proc_pid_stat(5). */
  readonly isStopped: boolean;
}

/** The identity of this process. */
export function currentProcess(): ProcessIdentity {
  return { pid: process.pid, startTicks: readProcess(process.pid)?.startTicks ?? "", bootId: readBootId() };
}

/** Whether this process still runs: same pid, same start, same boot of the machine. */
export function isProcessAlive({ pid, startTicks, bootId }: ProcessIdentity): boolean {
  if (bootId !== readBootId()) return false;
  if (startTicks === "") return answersSignals(pid);
  return readProcess(pid)?.startTicks === startTicks;
}

export function readProcess(pid: number): ProcessStatus | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Parses a `/proc/<pid>/stat` line. The name is in parentheses and may itself contain spaces and parentheses, so fields
 * are counted from the last one. Undefined for a zombie, and for any other text.
 */
export function parseProcessStat(line: string): ProcessStatus | undefined {
  const nameEnd = line.lastIndexOf(")");
  const fields = line.slice(nameEnd + 2).split(" ");
  // Counted from field 3, the state: field 4 is the parent, field 22 the start time.
  const [state, parent] = fields;
  const startTicks = fields[19];
  if (nameEnd === -1 || parent === undefined || startTicks === undefined) return undefined;
  if (state === "Z" || state === "X") return undefined;
  return {
    name: line.slice(line.indexOf("(") + 1, nameEnd),
    parentPid: Number(parent),
    startTicks,
    isStopped: state === "T",
  };
}

function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs as another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
