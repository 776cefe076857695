/**
 * Which way the tunnel takes: questions keep the mapping of the way in use and show whether it works; other ways are
 * asked when it is silent, and better ones until they work again (SPEC 4.5).
 *
 * Asking comes before registering: a home agent has one binding for a node, so an update on trial would move the
 * tunnel of a node to a way that perhaps works in one direction only.
 */

import { sameSocketAddress } from "../../address.ts";
import { ByteReader } from "../../bytes.ts";
import type { Pacer, Turns } from "../../ice/pacer.ts";
import type { InstantMs, Rng, Transmit } from "../../machine.ts";
import { minInstant } from "../../min-instant.ts";
import type { StunDatagram } from "../../stun/receive.ts";
import type { TunnelWay } from "./reverse-tunnel.ts";
import { WayCheck } from "./way-check.ts";

export interface TunnelWatchConfig {
  readonly rng: Rng;
  readonly pacer: Pacer;
  /** Longest time between two questions on the way in use; may change from one moment to the next. */
  readonly intervalMs: () => number;
  /** When the first of the Binding Updates was sent on the way in use that are unanswered. */
  readonly unansweredSince: () => InstantMs | undefined;
}

/** What the watch has found out. */
export type TunnelNews =
  /** The way in use is silent, and `next` works. */
  | { readonly type: "dead"; readonly next: TunnelWay }
  /** A way that is preferred to the one in use works. Not repeated before `use` or `refuse`. */
  | { readonly type: "better"; readonly next: TunnelWay }
  /** The way in use has another mapping: the home agent sends to one that is gone. */
  | { readonly type: "remapped" }
  /** The way in use works again. */
  | { readonly type: "works-again" };

/** Silence on the way in use after which the other ways are asked too; happy eyeballs, as in RFC 8305 but slower. */
const SEARCH_AFTER_MS = 1000;

/** Silence after which another way takes over; on a way that has never answered, as soon as others are asked. */
const DEAD_AFTER_MS = 2000;

/** Better ways are asked this often, and taken after this many quick answers in a row. */
const BETTER_CHECK_MS = 5000;
const CONFIRMATION_MS = 500;
const ANSWERS_NEEDED = 3;

/** A question comes up to this part sooner, so that nodes do not ask in step. */
const SPREAD = 0.2;

/** Shortest interval, whatever the settings. */
const SHORTEST_INTERVAL_MS = 100;

/** Shortest interval that is learnt from lost mappings; that of consent checks. */
const SHORTEST_LEARNT_MS = 5000;

export class TunnelWatch {
  readonly #config: TunnelWatchConfig;
  readonly #turns: Turns;
  readonly #transmits: Transmit[] = [];
  readonly #news: TunnelNews[] = [];
  /** Best first. */
  #checks: readonly WayCheck[] = [];
  #current: WayCheck | undefined;
  /** The way in use has answered since it is in use. */
  #hasAnswered = false;
  /** The better way that was reported. */
  #reported: WayCheck | undefined;
  /** Upper bound of the interval, from mappings that were lost in spite of questions. */
  #learntMs = Infinity;
  /** Part of the interval after which the next question is due. */
  #part = 1;

  constructor(config: TunnelWatchConfig) {
    this.#config = config;
    this.#turns = config.pacer.turns();
  }

  /** The way in use. */
  get way(): TunnelWay | undefined {
    return this.#current?.way;
  }

  /** Replaces the ways, best first, and begins with the best. */
  useWays(now: InstantMs, ways: readonly TunnelWay[]): void {
    this.#checks = ways.map((way) => new WayCheck(way, this.#config.rng));
    this.#learntMs = Infinity;
    this.#take(now, this.#checks[0]);
  }

  /** Uses this way from now on. */
  use(now: InstantMs, way: TunnelWay): void {
    this.#take(now, this.#checkOf(way));
  }

  /** The way behind the one in use, for home agents that answer no questions; undefined when there is only one. */
  following(): TunnelWay | undefined {
    const at = this.#checks.findIndex((check) => check === this.#current);
    return this.#checks.length < 2 ? undefined : this.#checks[(at + 1) % this.#checks.length]?.way;
  }

  /** A better way turned out not to work. */
  refuse(now: InstantMs): void {
    this.#reported?.refuse(now);
    this.#reported = undefined;
  }

  /** The home agent has answered an update on the way in use. */
  noteAnswer(now: InstantMs): void {
    this.#current?.noteAnswer(now);
    this.#hasAnswered = true;
  }

  /** The node has not run for a while: nothing is known any more, and the way in use is asked at once. */
  resume(now: InstantMs): void {
    this.#take(now, this.#current);
    if (this.#current !== undefined) this.#ask(now, this.#current);
  }

  /** Asks nothing more until the ways are replaced. */
  stop(): void {
    this.#checks = [];
    this.#current = undefined;
    this.#turns.cancel();
  }

  ownsTransaction(transactionId: Uint8Array): boolean {
    return this.#checks.some((check) => check.owns(transactionId));
  }

  handleStun(now: InstantMs, datagram: StunDatagram): void {
    const check = this.#checks.find((each) => each.owns(datagram.message.transactionId));
    const answer = check?.take(now, datagram);
    if (check === undefined || answer === undefined) return;
    if (check === this.#current) {
      this.#hasAnswered = true;
      if (answer.isRemapped) this.#noteLostMapping();
      else if (answer.endsSilence) this.#news.push({ type: "works-again" });
    }
    this.#judge(now);
  }

  handleTimeout(now: InstantMs): void {
    this.#judge(now);
    const due = this.#checks.find((check) => this.#dueAt(check) <= now);
    if (due === undefined) this.#turns.cancel();
    else if (this.#turns.take(now)) this.#ask(now, due);
  }

  pollTransmit(): Transmit | undefined {
    return this.#transmits.shift();
  }

  pollNews(): TunnelNews | undefined {
    return this.#news.shift();
  }

  pollTimeout(): InstantMs | undefined {
    const dueAt = Math.min(...this.#checks.map((check) => this.#dueAt(check)));
    const deadAt = this.#replacement() === undefined ? Infinity : this.#deadAt;
    const nextAt = Math.min(Math.max(dueAt, this.#turns.nextAt), deadAt);
    return nextAt === Infinity ? undefined : nextAt;
  }

  #take(now: InstantMs, check: WayCheck | undefined): void {
    this.#current = check;
    this.#hasAnswered = false;
    this.#reported = undefined;
    this.#turns.cancel();
    for (const each of this.#checks) each.reset(now);
  }

  #ask(now: InstantMs, check: WayCheck): void {
    const { rng } = this.#config;
    if (check === this.#current) this.#part = 1 - SPREAD * (new ByteReader(rng.bytes(2)).u16() / 0xffff);
    this.#transmits.push(check.ask(now));
  }

  /** Reports that the way in use is dead, or that a better one works. */
  #judge(now: InstantMs): void {
    const next = this.#replacement();
    if (next !== undefined && now >= this.#deadAt) {
      this.#news.push({ type: "dead", next: next.way });
      return;
    }
    const better = this.#betterWays().find(({ quickAnswers }) => quickAnswers >= ANSWERS_NEEDED);
    if (better === undefined || this.#reported !== undefined || this.#silentSince !== undefined) return;
    this.#reported = better;
    this.#news.push({ type: "better", next: better.way });
  }

  /** The way of highest preference that has answered while the one in use was silent. */
  #replacement(): WayCheck | undefined {
    const silentSince = this.#silentSince;
    if (silentSince === undefined) return undefined;
    return this.#checks.find((check) => check !== this.#current && check.answeredAt >= silentSince);
  }

  get #deadAt(): InstantMs {
    return (this.#silentSince ?? Infinity) + (this.#hasAnswered ? DEAD_AFTER_MS : SEARCH_AFTER_MS);
  }

  /** When the first question or update was sent on the way in use that nothing has answered since. */
  get #silentSince(): InstantMs | undefined {
    if (this.#current === undefined) return undefined;
    const { silentSince, answeredAt } = this.#current;
    const updateAt = this.#config.unansweredSince();
    return minInstant(silentSince, updateAt !== undefined && updateAt > answeredAt ? updateAt : undefined);
  }

  /** When a way is asked next; Infinity: not at all. */
  #dueAt(check: WayCheck): InstantMs {
    const silentSince = this.#silentSince;
    const isSought = silentSince !== undefined && check.answeredAt < silentSince;
    const soughtAt = isSought ? Math.max(silentSince + SEARCH_AFTER_MS, repeatAt(check)) : Infinity;
    if (check !== this.#current) return Math.min(soughtAt, this.#confirmedAt(check));
    return check.unanswered > 0 ? check.repeatAt : Math.min(soughtAt, check.askedAt + this.#intervalMs * this.#part);
  }

  #confirmedAt(check: WayCheck): InstantMs {
    if (this.#reported !== undefined || !this.#betterWays().includes(check)) return Infinity;
    const dueAt = check.askedAt + (check.quickAnswers > 0 ? CONFIRMATION_MS : BETTER_CHECK_MS);
    return Math.max(dueAt, check.restsUntil);
  }

  /** The ways that are preferred to the one in use. */
  #betterWays(): readonly WayCheck[] {
    const at = this.#checks.findIndex((check) => check === this.#current);
    return this.#checks.slice(0, Math.max(at, 0));
  }

  get #intervalMs(): number {
    return Math.max(SHORTEST_INTERVAL_MS, Math.min(this.#config.intervalMs(), this.#learntMs));
  }

  /** The mapping did not last until the question: the next one comes sooner. */
  #noteLostMapping(): void {
    this.#learntMs = Math.max(this.#intervalMs / 2, SHORTEST_LEARNT_MS);
    this.#news.push({ type: "remapped" });
  }

  #checkOf({ local, remote }: TunnelWay): WayCheck | undefined {
    return this.#checks.find(({ way }) => sameSocketAddress(way.local, local) && sameSocketAddress(way.remote, remote));
  }
}

/** A question that is unanswered is repeated later and later; the first one waits for nothing. */
function repeatAt(check: WayCheck): InstantMs {
  return check.unanswered > 0 ? check.repeatAt : -Infinity;
}
