/**
 * Questions to the home agent on one way of the tunnel: Binding requests to the tunnel's own port (SPEC 1.8, A-27). An
 * answer shows that the way works in both directions and which mapping it has, and each question keeps that mapping.
 */

import { type SocketAddress, sameSocketAddress } from "../../address.ts";
import type { InstantMs, Rng, Transmit } from "../../machine.ts";
import { encodeBindingQuery, judgeBindingAnswer } from "../../stun/binding-query.ts";
import { TRANSACTION_ID_LENGTH, transactionKey } from "../../stun/header.ts";
import type { StunDatagram } from "../../stun/receive.ts";
import type { TunnelWay } from "./reverse-tunnel.ts";

/** Time between questions while they are unanswered: the first ones, then doubled each time, and at most. */
const RETRY_MS = 500;
const RETRIES_AT_FIRST = 4;
const LONGEST_RETRY_MS = 5000;

/** How long a way rests that answers questions and no update: at first, then doubled each time, and at most. */
const FIRST_REST_MS = 60_000;
const LONGEST_REST_MS = 600_000;

/** Answers are awaited to this many questions; earlier ones are given up. */
const REMEMBERED_QUESTIONS = 16;

/** A slower answer is no recommendation: the way would be taken for dead when it is in use. */
const QUICK_MS = 1000;

/** An answer: whether there were unanswered questions before, and whether the mapping is another one than before. */
export interface WayAnswer {
  readonly endsSilence: boolean;
  readonly isRemapped: boolean;
}

export class WayCheck {
  readonly way: TunnelWay;
  readonly #rng: Rng;
  /** Unanswered questions: when each was sent, by transaction. */
  readonly #open = new Map<string, InstantMs>();
  #mapped: SocketAddress | undefined;
  /** When the last question was sent. */
  askedAt: InstantMs = -Infinity;
  /** When the last answer arrived. */
  answeredAt: InstantMs = -Infinity;
  /** When the first of the questions was sent that are unanswered. */
  silentSince: InstantMs | undefined;
  /** Questions in a row that were not answered. */
  unanswered = 0;
  /** Answers in a row that came within a second. */
  quickAnswers = 0;
  /** It answered questions and no update, so it is left alone until then, longer each time. */
  restsUntil: InstantMs = -Infinity;
  #refusals = 0;

  constructor(way: TunnelWay, rng: Rng) {
    this.way = way;
    this.#rng = rng;
  }

  /** When an unanswered question is repeated. */
  get repeatAt(): InstantMs {
    const doublings = Math.max(0, this.unanswered - RETRIES_AT_FIRST);
    return this.askedAt + Math.min(RETRY_MS * 2 ** doublings, LONGEST_RETRY_MS);
  }

  ask(now: InstantMs): Transmit {
    const transactionId = this.#rng.bytes(TRANSACTION_ID_LENGTH);
    const [oldest] = this.#open.keys();
    if (oldest !== undefined && this.#open.size >= REMEMBERED_QUESTIONS) this.#open.delete(oldest);
    this.#open.set(transactionKey(transactionId), now);
    if (this.unanswered > 1) this.quickAnswers = 0;
    this.askedAt = now;
    this.silentSince ??= now;
    this.unanswered += 1;
    return { ...this.way, payload: encodeBindingQuery(transactionId) };
  }

  /** True for the transaction ID of an unanswered question. */
  owns(transactionId: Uint8Array): boolean {
    return this.#open.has(transactionKey(transactionId));
  }

  /** Takes an answer to one of the questions; undefined when it did not take the way of the question, or is none. */
  take(now: InstantMs, { local, remote, message }: StunDatagram): WayAnswer | undefined {
    const sentAt = this.#open.get(transactionKey(message.transactionId));
    const mapped = judgeBindingAnswer(message);
    if (sentAt === undefined || mapped === undefined || typeof mapped === "string") return undefined;
    if (!sameSocketAddress(remote, this.way.remote) || !sameSocketAddress(local, this.way.local)) return undefined;
    const isRemapped = this.#mapped !== undefined && !sameSocketAddress(this.#mapped, mapped);
    const endsSilence = this.unanswered > 1;
    this.#mapped = mapped;
    this.quickAnswers = now - sentAt < QUICK_MS ? this.quickAnswers + 1 : 0;
    this.noteAnswer(now);
    return { endsSilence, isRemapped };
  }

  /** Notes that the way works, by another answer of the home agent than to a question. */
  noteAnswer(now: InstantMs): void {
    this.answeredAt = now;
    this.#forgetQuestions();
  }

  /** Notes that the way answers questions, but no update. */
  refuse(now: InstantMs): void {
    this.reset(now);
    this.restsUntil = now + Math.min(FIRST_REST_MS * 2 ** this.#refusals, LONGEST_REST_MS);
    this.#refusals += 1;
  }

  /** Begins anew: what was learnt before says nothing about the way as it is now. */
  reset(now: InstantMs): void {
    this.#mapped = undefined;
    this.askedAt = now;
    this.answeredAt = -Infinity;
    this.quickAnswers = 0;
    this.#forgetQuestions();
  }

  #forgetQuestions(): void {
    this.#open.clear();
    this.unanswered = 0;
    this.silentSince = undefined;
  }
}
