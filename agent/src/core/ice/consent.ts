/**
 * Consent checks: authenticated Binding requests that show whether the selected pair is alive (RFC 7675). The draft's
 * keepalives are Indications, which are not answered. A NAT that lost its mappings, or a firewall that closed, would go
 * unnoticed until the binding's refresh.
 *
 * While answers arrive there is one request per interval, drawn from 0.8 to 1.2 of it to avoid synchronisation (RFC
 * 7675 section 5.1). An unanswered one is followed by others, each a new transaction. RFC 7675 waits 30 s for any of
 * six answers; here 20 requests are sent within 10 s. A dead pair is detected 14 to 16 s after the last answer. At a
 * loss of 20 % each way, 20 round trips in a row fail once in 10^9. Requests are counted, not time, so that a node that
 * was suspended sends requests before it drops the pair.
 *
 * A pair that is probably dead, as after a suspension, is asked at once and given up after a second: a restart costs
 * less than the data that a dead pair loses. One on which data has stopped to come is asked in the same way, and is in
 * doubt when nothing answers.
 */

import { type SocketAddress, sameSocketAddress } from "../address.ts";
import { ByteReader } from "../bytes.ts";
import type { InstantMs, Rng, Transmit } from "../machine.ts";
import { TRANSACTION_ID_LENGTH, transactionKey } from "../stun/header.ts";
import type { StunDatagram } from "../stun/receive.ts";
import { encodeCheck } from "./check-message.ts";
import type { IceLimits } from "./constants.ts";
import type { PairDeath, ValidPair } from "./ice-machine.ts";
import type { IceOutbox } from "./ice-outbox.ts";
import { judgeAnswer } from "./judge-check.ts";
import type { Pacer, Turns } from "./pacer.ts";
import { announcedPriority } from "./priority.ts";
import type { RoleClaim } from "./role.ts";

/** Credentials and role of the requests. */
interface ConsentConfig {
  /** USERNAME, `peer:own`. */
  readonly username: string;
  /** The peer's password in octets. */
  readonly peerKey: Uint8Array;
  readonly limits: Pick<IceLimits, "consentIntervalMs" | "consentRetryMs" | "consentTimeoutMs">;
  readonly pacer: Pacer;
  readonly rng: Rng;
}

/** What is due. */
type ConsentDuty =
  | { readonly type: "ask"; readonly transmit: Transmit }
  | { readonly type: "bury"; readonly death: PairDeath };

/** Requests to a pair that is probably dead, and the least time between them. */
const MAX_UNANSWERED_WHEN_SUSPECT = 5;
const RETRY_WHEN_SUSPECT_MS = 200;

/** RFC 7675 section 5.1. */
const LEAST_PART = 0.8;
const SPREAD = 0.4;

/** Checks one pair from its selection until it is dead or another one is selected. */
export class Consent {
  readonly pair: ValidPair;
  readonly #config: ConsentConfig;
  readonly #out: IceOutbox;
  readonly #turns: Turns;
  /** Requests since the last answer. */
  readonly #open = new Set<string>();
  /** How many of them count. */
  #unanswered = 0;
  #isSuspect = false;
  /** Asked out of turn: the silence of the pair is reported. */
  #isQuestioned = false;
  /** Number of unanswered requests in a row after which the pair is dead. */
  readonly #maxUnanswered: number;
  #provenAt: InstantMs;
  #dueAt: InstantMs;
  #isInDoubt = false;

  constructor(now: InstantMs, pair: ValidPair, config: ConsentConfig, out: IceOutbox) {
    const { consentTimeoutMs, consentRetryMs } = config.limits;
    this.pair = pair;
    this.#config = config;
    this.#turns = config.pacer.turns();
    this.#out = out;
    this.#maxUnanswered = Math.max(1, Math.ceil(consentTimeoutMs / consentRetryMs));
    this.#provenAt = now;
    this.#dueAt = now + this.#drawIntervalMs();
  }

  get nextDueAt(): InstantMs {
    return Math.max(this.#dueAt, this.#turns.nextAt);
  }

  /** Asks at once; only an answer to what is asked from now on counts, and is reported. */
  doubt(now: InstantMs): void {
    this.#isInDoubt = true;
    this.#open.clear();
    this.#unanswered = 0;
    this.#dueAt = now;
  }

  /** There is a reason to think that the pair is dead: asks at once, and gives up soon unless it is answered. */
  suspect(now: InstantMs): void {
    this.#isSuspect = true;
    this.#unanswered = 0;
    this.#dueAt = now;
  }

  /** Data has stopped to come: asks at once, and reports if nothing answers. Without effect while it is asked so. */
  question(now: InstantMs): void {
    if (this.#isSuspect || this.#isQuestioned) return;
    this.#isQuestioned = true;
    this.#unanswered = 0;
    this.#dueAt = now;
  }

  /** Stops consent checks. */
  stop(): void {
    this.#turns.cancel();
  }

  ownsTransaction(transactionId: Uint8Array): boolean {
    return this.#open.has(transactionKey(transactionId));
  }

  /** The next request when it is due, or the failure after too many unanswered ones. */
  takeDue(now: InstantMs, claim: RoleClaim): ConsentDuty | undefined {
    if (now < this.#dueAt) return undefined;
    const silentMs = now - this.#provenAt;
    const maxUnanswered = this.#isSuspect
      ? Math.min(this.#maxUnanswered, MAX_UNANSWERED_WHEN_SUSPECT)
      : this.#maxUnanswered;
    if (this.#unanswered >= maxUnanswered) return { type: "bury", death: { reason: "no-answer", silentMs } };
    if (this.#isQuestioned && this.#unanswered >= MAX_UNANSWERED_WHEN_SUSPECT) {
      this.#isQuestioned = false;
      this.#out.emit({ type: "pair-silent" });
    }
    if (!this.#turns.take(now)) return undefined;
    const { consentRetryMs } = this.#config.limits;
    const isUrgent = this.#isSuspect || this.#isQuestioned;
    this.#dueAt = now + (isUrgent ? Math.min(consentRetryMs, this.#urgentRetryMs) : consentRetryMs);
    return { type: "ask", transmit: this.#question(claim) };
  }

  /**
   * Takes the answer to one of the requests. Only an authenticated one on the pair itself counts; a refusal that could
   * be forged is ignored. An answer with another mapped address means that the NAT has made a new mapping: what the
   * peer sends to the old address is lost.
   */
  handleAnswer(now: InstantMs, answer: StunDatagram): PairDeath | undefined {
    const { local, remote } = this.pair;
    const ends = { base: local.base, remote: remote.address };
    const verdict = judgeAnswer(ends, answer, this.#config.peerKey);
    switch (verdict.type) {
      case "unauthenticated":
        this.#out.drop("unauthenticated-response");
        return undefined;
      case "failure":
        this.#out.drop("consent-refused");
        return undefined;
      case "role-conflict":
        this.#renew(now);
        return undefined;
      case "success":
        return this.#takeSuccess(now, verdict.mapped);
    }
  }

  #takeSuccess(now: InstantMs, mapped: SocketAddress): PairDeath | undefined {
    const silentMs = now - this.#provenAt;
    const isMappedAnew = !sameSocketAddress(mapped, this.pair.local.address);
    if (isMappedAnew) this.#isInDoubt = false;
    this.#renew(now);
    return isMappedAnew ? { reason: "mapping-changed", silentMs } : undefined;
  }

  #renew(now: InstantMs): void {
    this.#out.counters.consentAnswered += 1;
    this.#open.clear();
    this.#unanswered = 0;
    this.#isSuspect = false;
    this.#isQuestioned = false;
    this.#turns.cancel();
    this.#provenAt = now;
    this.#dueAt = now + this.#drawIntervalMs();
    if (this.#isInDoubt) this.#out.emit({ type: "pair-confirmed" });
    this.#isInDoubt = false;
  }

  /** Over a long way an answer takes its time. */
  get #urgentRetryMs(): number {
    return Math.max(RETRY_WHEN_SUSPECT_MS, this.pair.rttMs);
  }

  #question(claim: RoleClaim): Transmit {
    const { username, peerKey, rng } = this.#config;
    const { local, remote } = this.pair;
    const transactionId = rng.bytes(TRANSACTION_ID_LENGTH);
    const content = { priority: announcedPriority(local.priority), claim, useCandidate: false };
    this.#open.add(transactionKey(transactionId));
    this.#unanswered += 1;
    this.#out.counters.consentSent += 1;
    const payload = encodeCheck(transactionId, username, content, peerKey);
    return { local: local.base, remote: remote.address, payload };
  }

  #drawIntervalMs(): number {
    const { rng, limits } = this.#config;
    const fraction = new ByteReader(rng.bytes(2)).u16() / 0xffff;
    return limits.consentIntervalMs * (LEAST_PART + SPREAD * fraction);
  }
}
