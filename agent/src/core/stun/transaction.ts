/** The client side of a request over UDP: retransmission and failure (RFC 8489 section 6.2.1). */

import type { InstantMs, Transmit } from "../machine.ts";

/** Retransmission parameters of a request. */
export interface RetransmissionProfile {
  /** Initial retransmission timeout (RTO), milliseconds, > 0. */
  readonly rtoMs: number;
  /** Maximum number of transmissions (Rc); 7 when absent. */
  readonly requestCount?: number;
  /** Timeout after the last transmission in RTOs (Rm); 16 when absent. */
  readonly tailMultiple?: number;
}

/** Times of transmissions and of failure, in milliseconds since the start. */
export interface RetransmissionSchedule {
  readonly sendAfterMs: readonly number[];
  readonly failAfterMs: number;
}

const DEFAULT_REQUEST_COUNT = 7;
const DEFAULT_TAIL_MULTIPLE = 16;

/** Sends at RTO × {0, 1, 3, 7, 15, …}, each gap twice the one before, and fails Rm × RTO after the last. */
export function retransmissionSchedule(profile: RetransmissionProfile): RetransmissionSchedule {
  const { rtoMs, requestCount = DEFAULT_REQUEST_COUNT, tailMultiple = DEFAULT_TAIL_MULTIPLE } = profile;
  const sendAfterMs = Array.from({ length: requestCount }, (_, i) => rtoMs * (2 ** i - 1));
  return { sendAfterMs, failAfterMs: (sendAfterMs.at(-1) ?? 0) + rtoMs * tailMultiple };
}

/**
 * `in-progress`: sending and waiting. `cancelled`: waiting only. `answered`: done. `timed-out`: no response, a failure.
 * `expired`: cancelled and never answered, not a failure (RFC 8445 section 7.3.1.4).
 */
export type TransactionState = "in-progress" | "cancelled" | "answered" | "timed-out" | "expired";

/** Round trip of a response. */
export interface ResponseTiming {
  /** Since the latest transmission. */
  readonly rttMs: number;
  /** It is unknown which transmission was answered: not a sample for an RTO estimator (Karn). */
  readonly isAmbiguous: boolean;
}

/** One request until its response or its failure. The first transmission is due at the start. */
export class StunTransaction {
  readonly #startedAt: InstantMs;
  readonly #request: Transmit;
  readonly #schedule: RetransmissionSchedule;
  #state: TransactionState = "in-progress";
  /** Index of the next transmission in the schedule. */
  #next = 0;
  #sentCount = 0;
  #sentAt: InstantMs;
  #isTransmitDue = false;

  constructor(now: InstantMs, request: Transmit, schedule: RetransmissionSchedule) {
    this.#startedAt = now;
    this.#sentAt = now;
    this.#request = request;
    this.#schedule = schedule;
    this.handleTimeout(now);
  }

  get state(): TransactionState {
    return this.#state;
  }

  /** Transmissions so far, the first included. */
  get sentCount(): number {
    return this.#sentCount;
  }

  /** A late call makes one transmission of all it missed; the time of failure stays the same. */
  handleTimeout(now: InstantMs): void {
    if (!this.#isOpen()) return;
    if (now >= this.#startedAt + this.#schedule.failAfterMs) {
      this.#end(this.#state === "cancelled" ? "expired" : "timed-out");
      return;
    }
    if (this.#state === "cancelled" || !this.#isDue(now)) return;
    while (this.#isDue(now)) this.#next += 1;
    this.#isTransmitDue = true;
    this.#sentCount += 1;
    this.#sentAt = now;
  }

  /**
   * Notes a response that the caller has matched and authenticated; undefined when the transaction is over. A response
   * to a cancelled transaction counts.
   */
  handleResponse(now: InstantMs): ResponseTiming | undefined {
    if (!this.#isOpen()) return undefined;
    this.#end("answered");
    return { rttMs: now - this.#sentAt, isAmbiguous: this.#sentCount > 1 };
  }

  /** Stops retransmission. A response is still accepted until the time of failure, which then is not a failure. */
  cancel(): void {
    if (this.#state !== "in-progress") return;
    this.#state = "cancelled";
    this.#isTransmitDue = false;
  }

  pollTransmit(): Transmit | undefined {
    if (!this.#isTransmitDue) return undefined;
    this.#isTransmitDue = false;
    return this.#request;
  }

  pollTimeout(): InstantMs | undefined {
    if (!this.#isOpen()) return undefined;
    const nextSendAfterMs = this.#state === "cancelled" ? undefined : this.#schedule.sendAfterMs[this.#next];
    return this.#startedAt + (nextSendAfterMs ?? this.#schedule.failAfterMs);
  }

  #isOpen(): boolean {
    return this.#state === "in-progress" || this.#state === "cancelled";
  }

  /** Compares with the instants of `pollTimeout`: a difference of fractions may be less than their sum. */
  #isDue(now: InstantMs): boolean {
    return now >= this.#startedAt + (this.#schedule.sendAfterMs[this.#next] ?? Number.POSITIVE_INFINITY);
  }

  #end(state: TransactionState): void {
    this.#state = state;
    this.#isTransmitDue = false;
  }
}
