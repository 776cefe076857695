import type { NodeTimers } from "../../node/agent-settings.ts";

/** How long an offer lasts, the sum of the intervals between its repetitions, and then the wait for a better pair. */
export function longestAttemptMs(timers: NodeTimers): number {
  const { mobilityFirstTimeoutMs, mobilityMaxTimeoutMs, relayNominationDelayMs } = timers;
  return 2 * mobilityMaxTimeoutMs - mobilityFirstTimeoutMs + relayNominationDelayMs;
}
