/** When things happened, on the clock that progress lines and the page's timeline show. */

import { formatMs } from "./format-ms.ts";
import type { RunResult } from "./run-result.ts";

/** `2.92 s` since the program's start. The result counts from its first record, which is made when all is loaded. */
export function timeInRun({ phasesMs }: Pick<RunResult, "phasesMs">, atMs: number): string {
  return formatMs((phasesMs["load"] ?? 0) + atMs);
}
