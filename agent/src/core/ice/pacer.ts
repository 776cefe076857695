/**
 * The pace of a node. Each session keeps its own Ta; all of them together start no two transactions within 5 ms (RFC 8445
 * section 14.2: "as though there were one global Ta value"). That holds for checks of every kind, for questions to STUN
 * servers and for questions of consent. Repetitions of a request and answers wait for nobody.
 *
 * Who may not start at once stands in line, and whoever came first goes first. Each has one place: what has much to ask
 * lets everybody else go between two questions of its own, and nobody waits longer than one turn of all.
 */

import type { InstantMs } from "../machine.ts";

/** RFC 8445 section 14.2. */
export const LEAST_PACE_MS = 5;

export interface Pacer {
  /** For one that starts transactions: a check list, a gathering, a watch over consent. */
  turns(): Turns;
}

export interface Turns {
  /** Whether a transaction may start now, which then is this one's turn. Otherwise it stands in line until it may. */
  take(now: InstantMs): boolean;
  /** Leaves the line, where others wait: there is nothing to start any more. */
  cancel(): void;
  /** When to try again: at any time out of line, -Infinity; never, Infinity, before those ahead have had their turns. */
  readonly nextAt: InstantMs;
  readonly isInLine: boolean;
  /** How long it has stood in line for the turns that it took, altogether. */
  readonly waitedMs: number;
}

/** Makes the pace of one node. */
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
