/** State of other processes. */

import { readFileSync } from "node:fs";

export interface ProcessState {
  /** A letter of proc_pid_stat(5), such as `S` for sleeping and `Z` for a zombie. */
  readonly state: string;
  readonly parentPid: number;
}

/** Undefined if there is no such process. */
export function processState(pid: number | string): ProcessState | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/** `pid (name) state ppid …`; a name may hold spaces and parentheses, so what follows the last one counts. */
export function parseStat(text: string): ProcessState {
  const [state = "", parent] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state, parentPid: Number(parent) };
}
