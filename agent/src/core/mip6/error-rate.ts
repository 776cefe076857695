/** Rate limit of Binding Errors (RFC 6275 section 9.3.3): anyone can trigger them, with any source. */

import type { InstantMs } from "../machine.ts";

export interface ErrorRate {
  /** Whether one may be sent to this address now; counts it if so. */
  admits(now: InstantMs, end: string): boolean;
}

/** One second, for each address and for all together. Profile: a mobile node reacts to fewer. */
const WINDOW_MS = 1000;
const MAX_PER_WINDOW = 50;

export function createErrorRate(): ErrorRate {
  /** Addresses with an error within the window; at most `MAX_PER_WINDOW`. */
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
