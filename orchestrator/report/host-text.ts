/** Hosts of a result as text, the same for terminal and page. */

import type { ExceededLimit } from "../runtime/runtime.ts";
import { describeWord } from "./describe-word.ts";
import { formatMs } from "./format-ms.ts";
import type { ExpectationResult, HostResult } from "./run-result.ts";

/** `ended with exit code 1 after 3.2 s`, `ran to the end, and was ended by the testbed`; and what it said of its path. */
export function hostEndText(host: HostResult): string {
  const { exitCode, endedBy, service, startedAtMs, endedAtMs, said, exceeded } = host;
  const says = said === undefined ? "" : `; it says: ${describeWord(said)}`;
  if (exitCode !== undefined) {
    const tookMs = startedAtMs === undefined || endedAtMs === undefined ? undefined : endedAtMs - startedAtMs;
    return `ended with exit code ${exitCode}${exceededText(exceeded)}${tookMs === undefined ? "" : ` after ${formatMs(tookMs)}`}${says}`;
  }
  if (endedBy === undefined) return `is still running${says}`;
  const end = service === true ? "ran to the end" : "had not ended by itself";
  return `${end}, and was ended by the testbed${says}`;
}

/** `, having run into its limit of memory`; nothing for none. */
export function exceededText(exceeded: readonly ExceededLimit[] = []): string {
  return exceeded.length === 0 ? "" : `, having run into its limit of ${exceeded.join(" and ")}`;
}

/** The last lines of a program that did not do what was expected of it; none for others. */
export function linesOfFailure({ name, lastLines }: HostResult, expectations: readonly ExpectationResult[]) {
  const hasFailed = expectations.some(
    ({ subject, verdict }) => "host" in subject && subject.host === name && verdict === "fail",
  );
  return hasFailed ? lastLines : [];
}
