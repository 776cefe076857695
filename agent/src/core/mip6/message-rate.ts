/** Rate limit of messages to one peer: at most three of a type in a second (RFC 6275 section 11.8). */

import type { InstantMs } from "../machine.ts";
import type { MobilityMessage } from "./messages.ts";

/** Counts messages to one peer. */
export interface MessageRate {
  /** Whether a message of this type may be sent now; counts it if so. */
  admits(now: InstantMs, type: MobilityMessage["type"]): boolean;
  /** When the next message of this type may be sent; in the past if at once. */
  opensAt(type: MobilityMessage["type"]): InstantMs;
}

/** MAX_UPDATE_RATE (RFC 6275 section 12), messages in `WINDOW_MS`. */
const MAX_PER_WINDOW = 3;
const WINDOW_MS = 1000;

export function createMessageRate(): MessageRate {
  /** When messages of a type were sent within the window, oldest first. */
  const sent = new Map<MobilityMessage["type"], readonly InstantMs[]>();
  return {
    admits(now, type) {
      const recent = (sent.get(type) ?? []).filter((at) => now < at + WINDOW_MS);
      const isAdmitted = recent.length < MAX_PER_WINDOW;
      sent.set(type, isAdmitted ? [...recent, now] : recent);
      return isAdmitted;
    },
    opensAt: (type) => (sent.get(type)?.at(-MAX_PER_WINDOW) ?? -Infinity) + WINDOW_MS,
  };
}
