/** Outputs of an agent: datagrams, events, counters. Its parts share one of these. */

import type { Transmit } from "../machine.ts";
import type { IceDropReason, IceEvent, IceStats } from "./ice-machine.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The fields of `IceStats`, counted in place. */
type IceCounters = Writable<Omit<IceStats, "answersSent" | "dropped">> & {
  readonly answersSent: Record<number, number>;
  readonly dropped: Record<IceDropReason, number>;
};

export class IceOutbox {
  readonly transmits: Transmit[] = [];
  readonly events: IceEvent[] = [];
  readonly counters: IceCounters = zeroCounters();

  emit(event: IceEvent): void {
    this.events.push(event);
  }

  send(transmit: Transmit): void {
    this.transmits.push(transmit);
  }

  /** Sends a response along the path of the request. */
  answer({ local, remote }: Omit<Transmit, "payload">, status: number, payload: Uint8Array): void {
    this.counters.answersSent[status] = (this.counters.answersSent[status] ?? 0) + 1;
    this.send({ local, remote, payload });
  }

  drop(reason: IceDropReason, count = 1): void {
    this.counters.dropped[reason] += count;
  }
}

function zeroCounters(): IceCounters {
  return {
    checksSent: 0,
    checksAnswered: 0,
    checksFailed: 0,
    retransmits: 0,
    requestsReceived: 0,
    answersSent: {},
    indicationsReceived: 0,
    keepalivesSent: 0,
    consentSent: 0,
    consentAnswered: 0,
    dropped: {
      "unauthenticated-request": 0,
      "request-rate": 0,
      "unauthenticated-response": 0,
      "unknown-transaction": 0,
      "too-many-candidates": 0,
      "check-list-full": 0,
      "request-budget-spent": 0,
      "consent-refused": 0,
    },
  };
}
