/** Retransmission of mobility messages: 1, 2, 4, ... 32 s apart (RFC 6275 section 11.8). */

import type { InstantMs } from "../../machine.ts";

/** First and longest interval between two transmissions, milliseconds. */
export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Counts the transmissions of one message; made when it is first sent. */
export interface Backoff {
  /** When the next transmission is due, or the message is given up. */
  readonly dueAt: InstantMs;
  /**
   * The action that is due: another transmission, or giving up after the longest interval. Undefined before `dueAt`.
   */
  poll(now: InstantMs): "send" | "give-up" | undefined;
}

export function createBackoff(now: InstantMs, { firstMs, maxMs }: BackoffLimits): Backoff {
  let waitMs = firstMs;
  let dueAt = now + waitMs;
  return {
    get dueAt() {
      return dueAt;
    },
    poll(at) {
      if (at < dueAt) return undefined;
      if (waitMs >= maxMs) return "give-up";
      waitMs = Math.min(waitMs * 2, maxMs);
      dueAt = at + waitMs;
      return "send";
    },
  };
}
