/**
 * One run of connectivity checks, from the peer's description to the selected pair: the client side of the checks, the
 * effect of received checks, nomination and conclusion (SPEC 2.5 to 2.9).
 *
 * Every input ends in `advance`, which does what is due: nominate, give up, send the next check. One new check is sent
 * per Ta; retransmissions follow their transaction.
 */

import { type SocketAddress, sameSocketAddress } from "../address.ts";
import type { InstantMs, Rng, Transmit } from "../machine.ts";
import type { RefusedDatagram } from "../refusal.ts";
import { TRANSACTION_ID_LENGTH, transactionKey } from "../stun/header.ts";
import type { StunDatagram } from "../stun/receive.ts";
import { candidateView, type LocalCandidate, type RemoteCandidate } from "./candidate.ts";
import { CheckList, type DueCheck, formCheckList } from "./check-list.ts";
import { type CheckContent, encodeCheck, encodeKeepalive } from "./check-message.ts";
import { CheckTransactions, describeSilence, type OpenCheck } from "./check-transactions.ts";
import { Consent } from "./consent.ts";
import { type IceLimits, type ProfileTiming, REMEMBERED_TRIGGERS, REQUEST_COUNT } from "./constants.ts";
import type { IceFailure, PairDeath } from "./ice-machine.ts";
import type { IceOutbox } from "./ice-outbox.ts";
import { judgeAnswer } from "./judge-check.ts";
import { decideNomination } from "./nomination.ts";
import type { Pacer, Turns } from "./pacer.ts";
import { type CandidatePair, pairView, waitingPair } from "./pair.ts";
import { announcedPriority, pairPriority } from "./priority.ts";
import { drawTieBreaker, otherRole, type RoleClaim } from "./role.ts";
import { Upkeep } from "./upkeep.ts";
import { limitPairs } from "./usefulness.ts";
import { type ProvenPair, ValidList } from "./valid-list.ts";

/** A check of the peer that was authenticated and answered. */
export interface ReceivedCheck {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly transactionId: Uint8Array;
  readonly content: CheckContent;
}

/** Configuration of a run. */
export interface CheckRunConfig {
  /** Initial role and tie-breaker. */
  readonly claim: RoleClaim;
  readonly isLite: boolean;
  readonly locals: readonly LocalCandidate[];
  readonly remotes: readonly RemoteCandidate[];
  /** How many candidates of the peer were left out of `remotes`. */
  readonly remotesCut: number;
  /** USERNAME of the checks to send, `peer:own`. */
  readonly username: string;
  /** The peer's password in octets. */
  readonly peerKey: Uint8Array;
  readonly timing: ProfileTiming;
  readonly limits: IceLimits;
  readonly pacer: Pacer;
  /** Origin of `nominated.afterMs`. */
  readonly startedAt: InstantMs;
  readonly rng: Rng;
}

export class CheckRun {
  readonly #config: CheckRunConfig;
  readonly #out: IceOutbox;
  readonly #list: CheckList;
  readonly #valid = new ValidList();
  readonly #transactions = new CheckTransactions();
  readonly #turns: Turns;
  #state: "running" | "completed" | "failed" = "running";
  #claim: RoleClaim;
  #locals: readonly LocalCandidate[];
  #nextCheckAt: InstantMs;
  #requestsSent = 0;
  /** A nominating check is queued or in progress. */
  #isNominating = false;
  #nominationDueAt: InstantMs | undefined;
  /** Its queueing time when the first relayed pair became valid. */
  #waitedBeforeRelayMs: number | undefined;
  #upkeep: Upkeep | undefined;
  #consent: Consent | undefined;

  /** Forms the check list. Call `advance` once early checks have been processed. */
  constructor(now: InstantMs, config: CheckRunConfig, out: IceOutbox) {
    const { claim, locals, remotes, remotesCut, limits, isLite } = config;
    this.#config = config;
    this.#turns = config.pacer.turns();
    this.#out = out;
    this.#claim = claim;
    this.#locals = locals;
    this.#nextCheckAt = now;
    const all = isLite ? [] : formCheckList(claim.role, locals, remotes);
    const pairs = limitPairs(all, limits.maxPairs);
    this.#list = new CheckList(pairs, limits.maxPairs);
    const cut = { pairs: all.length - pairs.length, candidates: remotesCut };
    if (!isLite) out.emit({ type: "check-list", role: claim.role, pairs: pairs.map(pairView), cut });
  }

  get state(): "running" | "completed" | "failed" {
    return this.#state;
  }

  get claim(): RoleClaim {
    return this.#claim;
  }

  /** Best first. */
  get validPairs(): readonly ProvenPair[] {
    return this.#valid.pairs;
  }

  get selected(): ProvenPair | undefined {
    return this.#valid.selected;
  }

  /** Infinity when nothing is due. */
  get nextTimeoutAt(): InstantMs {
    return Math.min(
      this.#transactions.nextTimeoutAt,
      this.#state !== "failed" && this.#list.hasDue ? Math.max(this.#nextCheckAt, this.#turns.nextAt) : Infinity,
      this.#nominationDueAt ?? Infinity,
      this.#upkeep?.nextDueAt ?? Infinity,
      this.#consent?.nextDueAt ?? Infinity,
    );
  }

  ownsTransaction(transactionId: Uint8Array): boolean {
    return this.#transactions.find(transactionId) !== undefined || this.#asksConsent(transactionId);
  }

  /** The pair on the check list whose local candidate has this address. */
  pairOf(local: SocketAddress, remote: SocketAddress): CandidatePair | undefined {
    const base = this.#locals.find(({ address }) => sameSocketAddress(address, local))?.base;
    return base && this.#list.find(base, remote);
  }

  /** Notes a packet sent on this path; silence on the selected one causes keepalives. */
  noteSent(now: InstantMs, base: SocketAddress, remote: SocketAddress): void {
    if (this.isSelected(base, remote)) this.#upkeep?.noteSent(now);
  }

  /**
   * The peer's candidate with this address: a signalled one, or one that a check revealed and that is still on the
   * list.
   */
  remoteAt(address: SocketAddress): RemoteCandidate | undefined {
    const known = [...this.#config.remotes, ...this.#list.pairs.map(({ remote }) => remote)];
    return known.find((remote) => sameSocketAddress(remote.address, address));
  }

  /** True for the path of the selected pair: a check of the peer on it is about consent. */
  isSelected(base: SocketAddress, remote: SocketAddress): boolean {
    const { selected } = this.#valid;
    if (selected === undefined) return false;
    return sameSocketAddress(selected.local.base, base) && sameSocketAddress(selected.remote.address, remote);
  }

  /** Processes a check of the peer: a candidate it reveals, a check it triggers, a nomination. */
  learn(now: InstantMs, { local: base, remote: source, transactionId, content }: ReceivedCheck): void {
    const local = this.#locals.find(({ address }) => sameSocketAddress(address, base));
    if (local === undefined || this.#state === "failed") return;
    const isNomination = content.useCandidate && this.#claim.role === "controlled";
    const known = this.remoteAt(source);
    const remote = known ?? { type: "peer-reflexive", address: source, priority: content.priority };
    if (this.#isBeyondConclusion(local, remote, isNomination)) return;
    const pair = this.#list.find(base, source) ?? this.#insert(local, remote);
    if (pair === undefined) return;
    if (known === undefined)
      this.#out.emit({ type: "peer-reflexive", side: "remote", candidate: candidateView(remote) });
    pair.isNominatedByPeer ||= isNomination;
    if (this.#config.isLite) this.#followNomination(now, local, pair);
    else this.#trigger(now, pair, transactionKey(transactionId));
  }

  /** Takes the response to a check or a consent check; anything else is counted and ignored. */
  handleAnswer(now: InstantMs, answer: StunDatagram): void {
    const { transactionId } = answer.message;
    if (this.#asksConsent(transactionId)) {
      this.#bury(this.#consent?.handleAnswer(now, answer));
      return;
    }
    const check = this.#transactions.find(transactionId);
    if (check === undefined) {
      this.#out.drop("unknown-transaction");
      return;
    }
    const verdict = judgeAnswer(check, answer, this.#config.peerKey);
    if (verdict.type === "unauthenticated") {
      this.#out.drop("unauthenticated-response");
      return;
    }
    this.#transactions.end(check);
    switch (verdict.type) {
      case "success":
        this.#succeed(now, check, verdict.mapped);
        break;
      case "role-conflict":
        this.#repeatInOtherRole(check);
        break;
      case "failure":
        this.#fail(check, verdict.reason);
        break;
    }
  }

  /** Notes an ICMP error for a check. The check goes on: the path of the next request may be open (`README.md`). */
  handleRefusal({ local, remote, by, reason }: RefusedDatagram): void {
    const check = this.#transactions.noteRefusal(local, remote, { by, reason });
    if (check !== undefined) this.#out.emit({ type: "check-refused", pair: pairView(check.pair), by, reason });
  }

  /** Switches the role; `tieBreaker` is new when the peer refused the old one. */
  switchRole(tieBreaker = this.#claim.tieBreaker): void {
    const role = otherRole(this.#claim.role);
    this.#claim = { role, tieBreaker };
    this.#list.takeRole(role);
    this.#valid.takeRole(role);
    this.#isNominating = false;
    this.#nominationDueAt = undefined;
    this.#out.emit({ type: "role-conflict", role });
  }

  handleTimeout(now: InstantMs): void {
    const { resend, unanswered } = this.#transactions.handleTimeout(now);
    for (const { check, transmit } of resend) this.#sendAgain(now, check, transmit);
    for (const check of unanswered) this.#fail(check, describeSilence(check));
    this.#doUpkeep(now);
    this.advance(now);
  }

  /** Does what is due. */
  advance(now: InstantMs): void {
    this.#considerConclusion(now);
    if (this.#state === "failed" || now < this.#nextCheckAt || !this.#list.hasDue) {
      this.#turns.cancel();
      return;
    }
    if (!this.#turns.take(now)) return;
    this.#sendNextCheck(now);
    // The pair just checked may be all that delays the nomination, and only briefly.
    this.#considerConclusion(now);
  }

  /** The consent checks of the selected pair, if it has any. */
  get consent(): Consent | undefined {
    return this.#consent;
  }

  /** Starts nothing more. */
  close(): void {
    this.#turns.cancel();
    this.#consent?.stop();
  }

  // Effect of received checks (SPEC 2.8)

  /** After nomination only a better nomination by an aggressive peer has an effect. */
  #isBeyondConclusion(local: LocalCandidate, remote: RemoteCandidate, isNomination: boolean): boolean {
    const { selected } = this.#valid;
    if (this.#state !== "completed" || selected === undefined) return false;
    return !isNomination || pairPriority(this.#claim.role, local.priority, remote.priority) <= selected.priority;
  }

  #insert(local: LocalCandidate, remote: RemoteCandidate): CandidatePair | undefined {
    const pair = waitingPair(this.#claim.role, local, remote);
    if (this.#config.isLite || this.#list.insert(pair)) return pair;
    this.#out.drop("check-list-full");
    return undefined;
  }

  #trigger(now: InstantMs, pair: CandidatePair, transactionId: string): void {
    if (pair.state === "succeeded") {
      if (pair.isNominatedByPeer) this.#nominate(now, this.#valid.provenBy(pair));
      return;
    }
    if (pair.triggers.has(transactionId)) return;
    // The oldest is no longer retransmitted; a peer that keeps checking must not fill memory.
    const [oldest] = pair.triggers;
    if (oldest !== undefined && pair.triggers.size >= REMEMBERED_TRIGGERS) pair.triggers.delete(oldest);
    pair.triggers.add(transactionId);
    this.#transactions.callBack((check) => check.pair === pair);
    pair.state = "waiting";
    this.#list.enqueueTriggered(pair);
  }

  /** A lite agent accepts the controlling peer's nomination (SPEC 2.12). */
  #followNomination(now: InstantMs, local: LocalCandidate, pair: CandidatePair): void {
    if (pair.isNominatedByPeer) this.#nominate(now, this.#prove(now, local, pair, 0));
  }

  // Client side of checks (SPEC 2.6 and 2.7)

  #sendNextCheck(now: InstantMs): void {
    const due = this.#list.takeDue();
    if (due === undefined) return;
    if (due.kind !== "nominating" && !this.#mayRequest()) {
      this.#markFailed(due.pair, "request budget spent");
      return;
    }
    this.#nextCheckAt = now + this.#config.timing.taMs;
    this.#sendCheck(now, due);
  }

  #sendCheck(now: InstantMs, { pair, kind }: DueCheck): void {
    const { rng, username, peerKey } = this.#config;
    const transactionId = rng.bytes(TRANSACTION_ID_LENGTH);
    const useCandidate = kind === "nominating";
    const content = { priority: announcedPriority(pair.local.priority), claim: this.#claim, useCandidate };
    const check = {
      transactionId,
      pair,
      kind,
      content,
      base: pair.local.base,
      remote: pair.remote.address,
      sentAt: now,
    };
    if (kind !== "nominating") pair.state = "in-progress";
    const payload = encodeCheck(transactionId, username, content, peerKey);
    this.#out.counters.checksSent += 1;
    this.#out.emit({ type: "check-sent", kind, pair: pairView(pair) });
    this.#sendRequest(now, pair, this.#transactions.begin(check, payload, this.#rtoMs()));
  }

  #sendAgain(now: InstantMs, { pair, kind }: OpenCheck, transmit: Transmit): void {
    if (kind !== "nominating" && !this.#mayRequest()) return;
    this.#out.counters.retransmits += 1;
    this.#sendRequest(now, pair, transmit);
  }

  #sendRequest(now: InstantMs, pair: CandidatePair, transmit: Transmit): void {
    pair.lastSentAt = now;
    this.#requestsSent += 1;
    this.#out.send(transmit);
    this.noteSent(now, transmit.local, transmit.remote);
  }

  /** The RTO grows with the number of checks that share the pace (SPEC 2.3). */
  #rtoMs(): number {
    const { rtoFloorMs, rtoCounts, taMs } = this.#config.timing;
    const competing = rtoCounts === "waiting" ? this.#list.count("waiting") : this.#list.open.length;
    return Math.max(rtoFloorMs, taMs * competing);
  }

  /** Whatever the peer does, this agent sends no more than a full list of unanswered checks (SPEC 10, S13). */
  #mayRequest(): boolean {
    if (this.#requestsSent < this.#config.limits.maxPairs * REQUEST_COUNT) return true;
    this.#out.drop("request-budget-spent");
    return false;
  }

  #succeed(now: InstantMs, check: OpenCheck, mapped: SocketAddress): void {
    const { pair } = check;
    const rttMs = now - check.sentAt;
    this.#out.counters.checksAnswered += 1;
    this.#out.emit({ type: "check-succeeded", pair: pairView(pair), mapped, rttMs });
    pair.state = "succeeded";
    this.#list.dequeue(pair);
    const proven = this.#prove(now, this.#mappedCandidate(check, mapped), pair, rttMs);
    if (check.content.useCandidate || pair.isNominatedByPeer) this.#nominate(now, proven);
  }

  /** The local candidate with the mapped address: a known one, or one that this check has revealed. */
  #mappedCandidate({ base, content }: OpenCheck, mapped: SocketAddress): LocalCandidate {
    const known = this.#locals.find(
      (candidate) => sameSocketAddress(candidate.address, mapped) && sameSocketAddress(candidate.base, base),
    );
    if (known !== undefined) return known;
    const { priority } = content;
    const revealed: LocalCandidate = { type: "peer-reflexive", address: mapped, base, priority, related: base };
    this.#locals = [...this.#locals, revealed];
    this.#out.emit({ type: "peer-reflexive", side: "local", candidate: candidateView(revealed) });
    return revealed;
  }

  #prove(now: InstantMs, local: LocalCandidate, pair: CandidatePair, rttMs: number): ProvenPair {
    const { pair: proven, isNew } = this.#valid.prove(now, this.#claim.role, local, pair, rttMs);
    if (isNew) this.#out.emit({ type: "pair-valid", pair: pairView(proven) });
    if (proven.isRelayed) this.#waitedBeforeRelayMs ??= this.#turns.waitedMs;
    return proven;
  }

  /** 487: the peer keeps the role that the check claimed. A new tie-breaker makes the next conflict a new draw. */
  #repeatInOtherRole({ pair, content }: OpenCheck): void {
    if (content.claim.role === this.#claim.role) this.switchRole(drawTieBreaker(this.#config.rng));
    if (pair.state === "succeeded" || this.#state !== "running") return;
    pair.state = "waiting";
    this.#list.enqueueTriggered(pair);
  }

  /** A failed nomination removes its valid pair, and the next one is nominated (SPEC 13). */
  #fail({ pair, kind }: OpenCheck, reason: string): void {
    if (kind === "nominating" ? this.#state !== "running" : pair.state === "succeeded") return;
    if (kind === "nominating") {
      this.#valid.disprove(pair);
      this.#isNominating = false;
    }
    this.#markFailed(pair, reason);
  }

  #markFailed(pair: CandidatePair, reason: string): void {
    pair.state = "failed";
    this.#list.dequeue(pair);
    this.#out.counters.checksFailed += 1;
    this.#out.emit({ type: "check-failed", pair: pairView(pair), reason });
  }

  // Nomination and conclusion (SPEC 2.9)

  #considerConclusion(now: InstantMs): void {
    if (this.#state !== "running" || this.#config.isLite) return;
    const { open } = this.#list;
    if (this.#claim.role === "controlling" && !this.#isNominating) {
      const decision = decideNomination(now, this.#valid.pairs, open, this.#limits());
      this.#nominationDueAt = decision.type === "wait" ? decision.until : undefined;
      if (decision.type === "nominate") {
        this.#isNominating = true;
        this.#list.enqueueNominating(decision.pair.provenBy);
      }
    }
    if (open.length === 0 && !this.#list.hasDue && this.#valid.pairs.length === 0) this.#giveUp();
  }

  /** How long a relayed pair has waited for a better one; queueing time within the node does not count. */
  #limits(): IceLimits {
    const { limits } = this.#config;
    if (this.#waitedBeforeRelayMs === undefined) return limits;
    const inLineMs = this.#turns.isInLine ? Infinity : this.#turns.waitedMs - this.#waitedBeforeRelayMs;
    return { ...limits, relayNominationDelayMs: limits.relayNominationDelayMs + inLineMs };
  }

  #giveUp(): void {
    const reason: IceFailure = this.#list.pairs.length === 0 ? "no-candidate-pairs" : "all-checks-failed";
    this.#state = "failed";
    this.#out.emit({ type: "failed", reason });
  }

  #nominate(now: InstantMs, proven: ProvenPair | undefined): void {
    if (proven === undefined || proven.isNominated) return;
    const before = this.#valid.selected;
    proven.isNominated = true;
    if (this.#valid.selected === before) return;
    this.#consent?.stop();
    this.#consent = this.#watch(now, proven);
    this.#out.emit({ type: "nominated", pair: pairView(proven), afterMs: now - this.#config.startedAt });
    if (this.#state === "running") this.#conclude(now, proven);
  }

  /**
   * Ends the run. Checks on worse pairs are cancelled. A controlling agent cancels all, because its nomination is
   * final; an aggressive peer may still nominate a better pair.
   */
  #conclude(now: InstantMs, selected: ProvenPair): void {
    this.#state = "completed";
    this.#nominationDueAt = undefined;
    this.#list.conclude();
    const isFinal = this.#claim.role === "controlling";
    this.#transactions.callBack(({ pair }) => isFinal || pair.priority < selected.priority);
    this.#upkeep = new Upkeep(now, this.#config.limits);
  }

  // Upkeep of the selected pair (SPEC 2.11; RFC 7675)

  /** A pair through a home agent needs no consent checks: the home registration covers its path. */
  #watch(now: InstantMs, pair: ProvenPair): Consent | undefined {
    const isWatched = !pair.isRelayed && !this.#config.isLite && this.#config.limits.consentIntervalMs > 0;
    return isWatched ? new Consent(now, pair, this.#config, this.#out) : undefined;
  }

  #asksConsent(transactionId: Uint8Array): boolean {
    return this.#consent?.ownsTransaction(transactionId) === true;
  }

  /** Ends the run when its selected pair is dead. */
  #bury(death: PairDeath | undefined): void {
    if (death === undefined || this.#consent === undefined) return;
    this.#out.emit({ type: "pair-dead", pair: pairView(this.#consent.pair), ...death });
    this.#state = "failed";
    this.#consent.stop();
    this.#consent = undefined;
    this.#upkeep = undefined;
    this.#transactions.callBack(() => true);
    this.#valid.clear();
  }

  #doUpkeep(now: InstantMs): void {
    const asked = this.#consent?.takeDue(now, this.#claim);
    if (asked?.type === "bury") this.#bury(asked.death);
    if (asked?.type === "ask") {
      this.#out.send(asked.transmit);
      this.#upkeep?.noteSent(now);
    }
    const { selected } = this.#valid;
    for (let duty = this.#upkeep?.takeDue(now); duty !== undefined; duty = this.#upkeep?.takeDue(now)) {
      if (duty === "release") this.#out.emit({ type: "released" });
      else if (selected !== undefined) this.#sendKeepalive(selected);
    }
  }

  #sendKeepalive(selected: ProvenPair): void {
    const payload = encodeKeepalive(this.#config.rng.bytes(TRANSACTION_ID_LENGTH));
    this.#out.counters.keepalivesSent += 1;
    this.#out.emit({ type: "keepalive-sent", pair: pairView(selected) });
    this.#out.send({ local: selected.local.base, remote: selected.remote.address, payload });
  }
}
