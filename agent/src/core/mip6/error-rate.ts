/** How many Binding Errors a node sends (RFC 6275 section 9.3.3): anybody can provoke them, with any source. */

import type { InstantMs } from "../machine.ts";

export interface ErrorRate {
  /** Whether one may leave to this end now; counts it when it may. */
  admits(now: InstantMs, end: string): boolean;
}

/** One second for each end and for all of them together. Ours: a mobile node heeds less. */
const WINDOW_MS = 1000;
const MAX_PER_WINDOW = 50;

export function createErrorRate(): ErrorRate {
  /** Ends that were told within the window; no more than `MAX_PER_WINDOW`. */
  const told = new Set<string>();
  let windowAt: InstantMs | undefined;
  return {
    admits(now, end) {
      if (windowAt === undefined || now - windowAt >= WINDOW_MS) {
        windowAt = now;
        told.clear();
      }
      if (told.has(end) || told.size >= MAX_PER_WINDOW) return false;
      told.add(end);
      return true;
    },
  };
}
