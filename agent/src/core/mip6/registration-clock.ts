/**
 * The mobile node's side of RFC 4285 section 6: timestamps of its updates, which answer belongs to which, and the
 * correction by a home agent with another time.
 */

import type { InstantMs } from "../machine.ts";
import { NTP_SECOND, ntpElapsedMs, ntpFraction, ntpTimestamp } from "./ntp-timestamp.ts";

/** Timestamps whose answers are recognised; profile: those of the last two minutes of repetitions. */
const MAX_UNANSWERED = 8;

export class RegistrationClock {
  #originMs: number;
  /** Latest last. */
  #sent: readonly bigint[] = [];

  /** `clockOriginMs` is the Unix time of instant 0. */
  constructor(clockOriginMs: number) {
    this.#originMs = clockOriginMs;
  }

  /** The timestamp of the next update, later than that of the one before. */
  stamp(now: InstantMs): bigint {
    const clock = ntpTimestamp(this.#originMs + now);
    const last = this.#sent.at(-1);
    const timestamp = last === undefined || ntpElapsedMs(last, clock) > 0 ? clock : BigInt.asUintN(64, last + 1n);
    this.#sent = [...this.#sent, timestamp].slice(-MAX_UNANSWERED);
    return timestamp;
  }

  /** True for the timestamp of an update. Of one that the home agent has corrected only the fraction is the node's. */
  hasSent(timestamp: bigint, isCorrected: boolean): boolean {
    return this.#sent.some((sent) => (isCorrected ? ntpFraction(sent) === ntpFraction(timestamp) : sent === timestamp));
  }

  /**
   * Takes the home agent's time, which it gives in whole seconds: one more, and what follows is not earlier than its
   * clock.
   */
  adjust(now: InstantMs, corrected: bigint): void {
    this.#originMs += ntpElapsedMs(ntpTimestamp(this.#originMs + now), corrected + NTP_SECOND);
    this.#sent = [];
  }
}
