/** How many checks the ends of a session sent, and what was left out of their check lists. */

import type { SessionResult } from "./run-result.ts";

/** `5 + 4`, of both ends; with what did not fit into their check lists, `100 + 100 (206 + 206 pairs left out)`. */
export function checksText({ checks, peerChecks }: Pick<SessionResult, "checks" | "peerChecks">): string {
  const sent = `${checks.sent} + ${peerChecks.sent}`;
  const isCut = checks.cutPairs + peerChecks.cutPairs > 0;
  return isCut ? `${sent} (${checks.cutPairs} + ${peerChecks.cutPairs} pairs left out)` : sent;
}
