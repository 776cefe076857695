/** The checks in progress: their transactions, and what is due. */

import { type SocketAddress, sameSocketAddress } from "../address.ts";
import type { CheckKind } from "../events.ts";
import type { InstantMs, Transmit } from "../machine.ts";
import type { Refusal } from "../refusal.ts";
import { transactionKey } from "../stun/header.ts";
import { retransmissionSchedule, StunTransaction } from "../stun/transaction.ts";
import type { CheckContent } from "./check-message.ts";
import { REQUEST_COUNT, TAIL_MULTIPLE } from "./constants.ts";
import type { CandidatePair } from "./pair.ts";

/** One check as first sent. */
export interface OpenCheck {
  readonly transactionId: Uint8Array;
  readonly pair: CandidatePair;
  readonly kind: CheckKind;
  readonly content: CheckContent;
  readonly base: SocketAddress;
  readonly remote: SocketAddress;
  readonly sentAt: InstantMs;
  /** The first ICMP error for it. */
  refusal?: Refusal;
}

/** What is due: requests to send, and checks that have timed out. */
export interface DueTransactions {
  readonly resend: readonly { readonly check: OpenCheck; readonly transmit: Transmit }[];
  readonly unanswered: readonly OpenCheck[];
}

export class CheckTransactions {
  readonly #entries = new Map<string, { readonly check: OpenCheck; readonly transaction: StunTransaction }>();

  /** Opens the transaction of a check and returns its first request. */
  begin(check: OpenCheck, payload: Uint8Array, rtoMs: number): Transmit {
    const request: Transmit = { local: check.base, remote: check.remote, payload };
    const schedule = retransmissionSchedule({ rtoMs, requestCount: REQUEST_COUNT, tailMultiple: TAIL_MULTIPLE });
    const transaction = new StunTransaction(check.sentAt, request, schedule);
    this.#entries.set(transactionKey(check.transactionId), { check, transaction });
    return transaction.pollTransmit() ?? request;
  }

  find(transactionId: Uint8Array): OpenCheck | undefined {
    return this.#entries.get(transactionKey(transactionId))?.check;
  }

  /** Notes an ICMP error for the latest check in progress from `base` to `remote`, and returns it if it is the first. */
  noteRefusal(base: SocketAddress, remote: SocketAddress, refusal: Refusal): OpenCheck | undefined {
    const checks = [...this.#entries.values()].map(({ check }) => check);
    const found = checks.findLast(
      (check) => sameSocketAddress(check.base, base) && sameSocketAddress(check.remote, remote),
    );
    if (found === undefined || found.refusal !== undefined) return undefined;
    found.refusal = refusal;
    return found;
  }

  /** Removes a check that is finished. */
  end({ transactionId }: OpenCheck): void {
    this.#entries.delete(transactionKey(transactionId));
  }

  /**
   * Cancels the checks that `which` selects: they are not retransmitted, and a timeout is not a failure, but a late
   * response counts (RFC 8445 section 7.3.1.4).
   */
  callBack(which: (check: OpenCheck) => boolean): void {
    for (const { check, transaction } of this.#entries.values()) if (which(check)) transaction.cancel();
  }

  handleTimeout(now: InstantMs): DueTransactions {
    const resend: { check: OpenCheck; transmit: Transmit }[] = [];
    const unanswered: OpenCheck[] = [];
    for (const { check, transaction } of this.#entries.values()) {
      transaction.handleTimeout(now);
      const transmit = transaction.pollTransmit();
      if (transmit !== undefined) resend.push({ check, transmit });
      if (transaction.pollTimeout() === undefined) this.end(check);
      if (transaction.state === "timed-out") unanswered.push(check);
    }
    return { resend, unanswered };
  }

  /** Infinity when no check is in progress. */
  get nextTimeoutAt(): InstantMs {
    return Math.min(...[...this.#entries.values()].map(({ transaction }) => transaction.pollTimeout() ?? Infinity));
  }
}

/** Why a check has failed that was not answered. */
export function describeSilence({ refusal }: OpenCheck): string {
  return refusal === undefined ? "no answer" : `no answer; refused by ${refusal.by}: ${refusal.reason}`;
}
