/**
 * The pacer of a node. Each session has its own Ta; all sessions together start at most one transaction in 5 ms (RFC
 * 8445 section 14.2: "as though there were one global Ta value"). That includes checks of every kind, queries to STUN
 * servers and consent checks. Retransmissions and responses are not paced.
 *
 * A client that may not start at once is queued, first in, first out. Each client has one place in the queue, so none
 * waits longer than one turn of all others.
 */

import type { InstantMs } from "../machine.ts";

/** RFC 8445 section 14.2. */
export const LEAST_PACE_MS = 5;

export interface Pacer {
  /** A place for one client: a check list, a gathering, or consent checks. */
  turns(): Turns;
}

export interface Turns {
  /** Whether a transaction may start now, which takes the turn. Otherwise the client is queued. */
  take(now: InstantMs): boolean;
  /** Leaves the queue: there is nothing to start any more. */
  cancel(): void;
  /** When to try again: -Infinity when not queued, Infinity while others are ahead. */
  readonly nextAt: InstantMs;
  readonly isInLine: boolean;
  /** Total queueing time of the turns taken. */
  readonly waitedMs: number;
}

/** Makes the pacer of one node. */
export function createPacer(): Pacer {
  const line = new Set<Turns>();
  let freeAt: InstantMs = -Infinity;
  const isFirst = (turns: Turns): boolean => line.values().next().value === turns;
  return {
    turns() {
      let since: InstantMs = 0;
      let waitedMs = 0;
      const turns: Turns = {
        take(now) {
          if (!line.has(turns)) since = now;
          line.add(turns);
          if (now < freeAt || !isFirst(turns)) return false;
          line.delete(turns);
          freeAt = now + LEAST_PACE_MS;
          waitedMs += now - since;
          return true;
        },
        cancel: () => void line.delete(turns),
        get nextAt() {
          if (!line.has(turns)) return -Infinity;
          return isFirst(turns) ? freeAt : Infinity;
        },
        get isInLine() {
          return line.has(turns);
        },
        get waitedMs() {
          return waitedMs;
        },
      };
      return turns;
    },
  };
}
