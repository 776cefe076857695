/**
 * The home agent's side of RFC 4285 section 6: whether an authenticated update has just been made, or was recorded. Its
 * timestamp is near the home agent's clock and later than that of every update accepted before. A home agent that has
 * restarted remembers none of those; it accepts nothing of before its start.
 */

import type { InstantMs } from "../machine.ts";
import { NTP_SECOND, ntpElapsedMs, ntpFraction, ntpTimestamp } from "./ntp-timestamp.ts";

/** `missing`: no timestamp, although the node has used them. `stale`: too early, too late, or used before. */
type Freshness = "fresh" | "missing" | "stale";

/** Largest difference of both clocks (RFC 4285 section 6.1). */
const WINDOW_MS = 7000;

/** At most one timestamp for each home address with a key. */
export class ReplayGuard {
  readonly #clockOriginMs: number;
  readonly #lastAccepted = new Map<string, bigint>();
  #startedAt: bigint | undefined;

  /** `clockOriginMs` is the Unix time of instant 0. */
  constructor(clockOriginMs: number) {
    this.#clockOriginMs = clockOriginMs;
  }

  start(now: InstantMs): void {
    this.#startedAt = this.#clock(now);
  }

  /** A node without timestamps is protected by its sequence numbers alone. */
  judge(now: InstantMs, homeAddress: string, timestamp: bigint | undefined): Freshness {
    const last = this.#lastAccepted.get(homeAddress);
    if (timestamp === undefined) return last === undefined ? "fresh" : "missing";
    const isNear = Math.abs(ntpElapsedMs(this.#clock(now), timestamp)) <= WINDOW_MS;
    const isOfThisLife = this.#startedAt === undefined || ntpElapsedMs(this.#startedAt, timestamp) >= 0;
    const isNew = last === undefined || ntpElapsedMs(last, timestamp) > 0;
    return isNear && isOfThisLife && isNew ? "fresh" : "stale";
  }

  noteAccepted(homeAddress: string, timestamp: bigint): void {
    this.#lastAccepted.set(homeAddress, timestamp);
  }

  /** For the answer to a stale update: the home agent's seconds, and the update's fraction, by which it is known. */
  corrected(now: InstantMs, timestamp: bigint): bigint {
    const seconds = this.#clock(now) / NTP_SECOND;
    return seconds * NTP_SECOND + ntpFraction(timestamp);
  }

  #clock(now: InstantMs): bigint {
    return ntpTimestamp(this.#clockOriginMs + now);
  }
}
