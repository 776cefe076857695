/**
 * When the controlling agent stops waiting for a better pair and nominates (SPEC 2.9).
 *
 * The decision is how long an open pair that outranks the best valid pair may delay the nomination. Typically that is a
 * pair with the peer's private host address, which is never answered. The first of these criteria that holds decides:
 *
 * (a) no open pair outranks the best valid one, (c) with none open at all;
 * (b) `nominationDelayMs` have passed since the first valid pair that is not relayed;
 * (d) `relayNominationDelayMs` have passed since the relayed pair became valid, and nothing else is valid.
 *
 * Criterion (b) holds early once every better open pair is hopeless: its last request was sent `settleRtts` round trips
 * of the valid pair ago, at least `settleFloorMs`. This risks the rank of the path, never the session, since there is a
 * valid pair. One lost packet does not decide it either: each end checks every pair, and a check of the peer on a
 * better pair puts that pair back to Waiting, where it delays the nomination again. A Waiting pair is never hopeless.
 * Both values are configurable; `settleRtts` 0 leaves (b) with its delay alone.
 */

import type { InstantMs } from "../machine.ts";
import type { IceLimits } from "./constants.ts";

/** A valid pair, as far as the decision needs it. */
export interface NominationCandidate {
  readonly priority: bigint;
  readonly isRelayed: boolean;
  readonly validAt: InstantMs;
  readonly rttMs: number;
}

/** A Waiting or In-Progress pair, as far as the decision needs it. */
export interface OpenPair {
  readonly priority: bigint;
  readonly state: "waiting" | "in-progress";
  /** When its last request was sent; undefined before the first. */
  readonly lastSentAt: InstantMs | undefined;
}

/** The criterion that decided. */
type NominationReason = "list-exhausted" | "outranks-open" | "better-hopeless" | "delay-passed" | "relay-delay";

/** Nominate this pair, or decide again: at `until` at the latest when present, and whenever a pair changes. */
export type NominationDecision<V> =
  | { readonly type: "nominate"; readonly pair: V; readonly reason: NominationReason }
  | { readonly type: "wait"; readonly until: InstantMs | undefined };

type NominationTimers = Pick<
  IceLimits,
  "nominationDelayMs" | "relayNominationDelayMs" | "settleRtts" | "settleFloorMs"
>;

/** Decides with the state at `now`. */
export function decideNomination<V extends NominationCandidate>(
  now: InstantMs,
  valid: readonly V[],
  open: readonly OpenPair[],
  timers: NominationTimers,
): NominationDecision<V> {
  const [first, ...others] = valid;
  if (first === undefined) return { type: "wait", until: undefined };
  const best = others.reduce((a, b) => (b.priority > a.priority ? b : a), first);
  if (open.length === 0) return { type: "nominate", pair: best, reason: "list-exhausted" };

  const better = open.filter((pair) => pair.priority > best.priority);
  if (better.length === 0) return { type: "nominate", pair: best, reason: "outranks-open" };
  if (best.isRelayed) return deadline(now, best, best.validAt + timers.relayNominationDelayMs, "relay-delay");

  const firstDirectAt = Math.min(...valid.filter((pair) => !pair.isRelayed).map((pair) => pair.validAt));
  const delayEndsAt = firstDirectAt + timers.nominationDelayMs;
  const hopelessAt = Math.max(...better.map((pair) => hopelessFrom(pair, best, timers)));
  return hopelessAt < delayEndsAt
    ? deadline(now, best, hopelessAt, "better-hopeless")
    : deadline(now, best, delayEndsAt, "delay-passed");
}

function deadline<V>(now: InstantMs, pair: V, until: InstantMs, reason: NominationReason): NominationDecision<V> {
  return now >= until ? { type: "nominate", pair, reason } : { type: "wait", until };
}

/** When an open pair becomes hopeless. */
function hopelessFrom(pair: OpenPair, best: NominationCandidate, timers: NominationTimers): InstantMs {
  if (timers.settleRtts === 0 || pair.state === "waiting" || pair.lastSentAt === undefined) return Infinity;
  return pair.lastSentAt + Math.max(timers.settleRtts * best.rttMs, timers.settleFloorMs);
}
