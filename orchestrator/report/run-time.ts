/** Times on the clock of progress lines and the page's timeline. */

import { formatMs } from "./format-ms.ts";
import type { RunResult } from "./run-result.ts";

/** `2.92 s` since the program's start. Times in the result count from its first record, made after loading. */
export function timeInRun({ phasesMs }: Pick<RunResult, "phasesMs">, atMs: number): string {
  return formatMs((phasesMs["load"] ?? 0) + atMs);
}
