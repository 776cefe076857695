/** Defaults of SPEC 8.7. */

import type { NodeTimers } from "../node/node-machine.ts";

/** Used where a configuration says nothing else. */
export const DEFAULT_TIMERS: NodeTimers = {
  nominationDelayMs: 100,
  relayNominationDelayMs: 2000,
  freeDelayMs: 3000,
  pairKeepaliveMs: 15_000,
  consentIntervalMs: 5000,
  consentRetryMs: 500,
  consentTimeoutMs: 10_000,
  natKeepaliveMs: 110_000,
  mobilityFirstTimeoutMs: 1000,
  mobilityMaxTimeoutMs: 32_000,
  tokenLifetimeMs: 210_000,
  bindingLifetimeMs: 420_000,
  bindingHoldMs: 2000,
};
