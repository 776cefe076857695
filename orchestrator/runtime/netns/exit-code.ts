/** The end of a process as a number. */

import { constants } from "node:os";

/** Its exit code; 128 and the number of the signal that ended it, as shells and engines report it. */
export function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
