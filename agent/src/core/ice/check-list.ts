/** The check list: which pairs are checked, and in what order (SPEC 2.5 and 2.6; RFC 8445 section 6.1.2). */

import { familyOf, type SocketAddress } from "../address.ts";
import { isLinkLocal } from "../address-scope.ts";
import type { CheckKind, IceRole } from "../events.ts";
import { reaches } from "../local-socket.ts";
import type { LocalCandidate, RemoteCandidate } from "./candidate.ts";
import { TRIGGERED_IN_A_ROW } from "./constants.ts";
import type { OpenPair } from "./nomination.ts";
import { type CandidatePair, isRelayed, pathKey, waitingPair } from "./pair.ts";
import { pairPriority } from "./priority.ts";

/** A check that is due. */
export interface DueCheck {
  readonly pair: CandidatePair;
  readonly kind: CheckKind;
}

/**
 * Pairs every local with every remote candidate that it can reach, best first.
 *
 * A server-reflexive candidate sends from its base and would repeat the check of the host candidate: of the pairs with
 * one base and one remote address only the best is kept.
 */
export function formCheckList(
  role: IceRole,
  locals: readonly LocalCandidate[],
  remotes: readonly RemoteCandidate[],
): CandidatePair[] {
  const combinations = locals.flatMap((local) =>
    remotes.filter((remote) => canReach(local, remote.address)).map((remote) => waitingPair(role, local, remote)),
  );
  const paths = new Map<string, CandidatePair>();
  for (const pair of combinations.toSorted(bestFirst)) {
    const key = pathKey(pair.local.base, pair.remote.address);
    if (!paths.has(key)) paths.set(key, pair);
  }
  return [...paths.values()];
}

/** Higher pair priority first. */
export function bestFirst(a: { readonly priority: bigint }, b: { readonly priority: bigint }): number {
  return a.priority === b.priority ? 0 : a.priority > b.priority ? -1 : 1;
}

/** One check list with its queue of triggered checks. */
export class CheckList {
  readonly #maxPairs: number;
  #pairs: CandidatePair[];
  /** First in, first out; served before the list. */
  #queue: DueCheck[] = [];
  #triggeredInARow = 0;

  constructor(pairs: readonly CandidatePair[], maxPairs: number) {
    this.#pairs = pairs.toSorted(bestFirst);
    this.#maxPairs = maxPairs;
  }

  /** Best first. */
  get pairs(): readonly CandidatePair[] {
    return this.#pairs;
  }

  /** Pairs that are Waiting or In-Progress, best first. */
  get open(): readonly (CandidatePair & OpenPair)[] {
    return this.#pairs.filter(isOpen);
  }

  /** True when `takeDue` would return a check. */
  get hasDue(): boolean {
    return this.#queue.length > 0 || this.#pairs.some((pair) => pair.state === "waiting");
  }

  count(...states: readonly CandidatePair["state"][]): number {
    return this.#pairs.filter((pair) => states.includes(pair.state)).length;
  }

  /** The pair that sends from `base` to `remote`. */
  find(base: SocketAddress, remote: SocketAddress): CandidatePair | undefined {
    const key = pathKey(base, remote);
    return this.#pairs.find((pair) => pathKey(pair.local.base, pair.remote.address) === key);
  }

  /**
   * Inserts a pair by priority. A full list drops its lowest Failed pair, else a lower Waiting one; never a relayed
   * pair, which is the path that always works. False when it can drop none.
   */
  insert(pair: CandidatePair): boolean {
    if (this.#pairs.length >= this.#maxPairs) {
      const expendable = this.#pairs.filter((other) => !isRelayed(other));
      const victim =
        expendable.findLast(({ state }) => state === "failed") ??
        expendable.findLast(({ state, priority }) => state === "waiting" && priority < pair.priority);
      if (victim === undefined) return false;
      this.#remove(victim);
    }
    this.#pairs = [...this.#pairs, pair].toSorted(bestFirst);
    return true;
  }

  /** Queues a triggered check; a pair that is queued keeps its place. */
  enqueueTriggered(pair: CandidatePair): void {
    if (!this.#isQueued(pair)) this.#queue.push({ pair, kind: "triggered" });
  }

  /** Puts a nominating check before all others, which it may make redundant. */
  enqueueNominating(pair: CandidatePair): void {
    this.#queue.unshift({ pair, kind: "nominating" });
  }

  /**
   * Takes the next check: the head of the queue, else the best Waiting pair. After `TRIGGERED_IN_A_ROW` triggered checks
   * a Waiting pair that is not queued goes first.
   */
  takeDue(): DueCheck | undefined {
    const ordinary = this.#pairs.find((pair) => pair.state === "waiting" && !this.#isQueued(pair));
    const [head] = this.#queue;
    const isOrdinaryTurn = head?.kind === "triggered" && this.#triggeredInARow >= TRIGGERED_IN_A_ROW;
    if (ordinary !== undefined && (head === undefined || isOrdinaryTurn)) {
      this.#triggeredInARow = 0;
      return { pair: ordinary, kind: "ordinary" };
    }
    if (head?.kind === "triggered") this.#triggeredInARow += 1;
    return this.#queue.shift();
  }

  /** Removes queued triggered checks of a pair that has succeeded or failed. */
  dequeue(pair: CandidatePair): void {
    this.#queue = this.#queue.filter((due) => due.pair !== pair || due.kind === "nominating");
  }

  /**
   * Recomputes all pair priorities after a role change. Queued nominating checks and nominations by the peer are
   * dropped with the old role.
   */
  takeRole(role: IceRole): void {
    for (const pair of this.#pairs) {
      pair.priority = pairPriority(role, pair.local.priority, pair.remote.priority);
      pair.isNominatedByPeer = false;
    }
    this.#pairs = this.#pairs.toSorted(bestFirst);
    this.#queue = this.#queue.filter((due) => due.kind !== "nominating");
  }

  /** Drops Waiting pairs and the queue: a pair has been nominated. */
  conclude(): void {
    this.#pairs = this.#pairs.filter((pair) => pair.state !== "waiting");
    this.#queue = [];
  }

  #isQueued(pair: CandidatePair): boolean {
    return this.#queue.some((due) => due.pair === pair);
  }

  #remove(pair: CandidatePair): void {
    this.#pairs = this.#pairs.filter((other) => other !== pair);
    this.#queue = this.#queue.filter((due) => due.pair !== pair);
  }
}

function isOpen(pair: CandidatePair): pair is CandidatePair & OpenPair {
  return pair.state === "waiting" || pair.state === "in-progress";
}

/** Equal IP version; link-local only with link-local (RFC 8445 section 6.1.2.2); from its socket a way leads there. */
function canReach({ address, base }: LocalCandidate, { ip }: SocketAddress): boolean {
  return familyOf(address.ip) === familyOf(ip) && isLinkLocal(address.ip) === isLinkLocal(ip) && reaches(base, ip);
}
