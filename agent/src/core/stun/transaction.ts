/** The client side of a request over UDP: when it is sent again and when it has failed (RFC 8489 section 6.2.1). */

import type { InstantMs, Transmit } from "../machine.ts";

/** Numbers that shape the retransmissions of a request. */
export interface RetransmissionProfile {
  /** Initial retransmission timeout RTO, milliseconds, > 0. */
  readonly rtoMs: number;
  /** How often the request is sent at most (Rc); 7 when absent. */
  readonly requestCount?: number;
  /** How many RTO the last one is waited for (Rm); 16 when absent. */
  readonly tailMultiple?: number;
}

/** When to send and when to give up, in milliseconds since the start. */
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
 * `in-progress`: sending and waiting. `cancelled`: waiting only. `answered`: done. `timed-out`: no response, which is a
 * failure. `expired`: cancelled and never answered, which is none (RFC 8445 section 7.3.1.4).
 */
export type TransactionState = "in-progress" | "cancelled" | "answered" | "timed-out" | "expired";

/** How long a response took. */
export interface ResponseTiming {
  /** Since the latest transmission. */
  readonly rttMs: number;
  /** Which transmission was answered cannot be told: no sample for an RTO estimator (Karn). */
  readonly isAmbiguous: boolean;
}

/** One request until its response or its failure. The first transmission is due at the start. */
export class StunTransaction {
  readonly #startedAt: InstantMs;
  readonly #request: Transmit;
  readonly #schedule: RetransmissionSchedule;
  #state: TransactionState = "in-progress";
  /** Index into the schedule of the transmission to come. */
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

  /** A wake-up that comes late makes one transmission of all it missed: the moment of failure stays where it is. */
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
   * Takes note of a response that the caller has matched and authenticated; undefined when the transaction is over.
   * A response to a cancelled transaction counts.
   */
  handleResponse(now: InstantMs): ResponseTiming | undefined {
    if (!this.#isOpen()) return undefined;
    this.#end("answered");
    return { rttMs: now - this.#sentAt, isAmbiguous: this.#sentCount > 1 };
  }

  /** Stops sending; a response is still taken until the moment of failure, which then is none. */
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

  /** Compares instants as `pollTimeout` gives them: a difference of fractions may fall short of its own sum. */
  #isDue(now: InstantMs): boolean {
    return now >= this.#startedAt + (this.#schedule.sendAfterMs[this.#next] ?? Number.POSITIVE_INFINITY);
  }

  #end(state: TransactionState): void {
    this.#state = state;
    this.#isTransmitDue = false;
  }
}
