/**
 * When a session without its direct path offers again: at once, then at increasing intervals after each failure.
 *
 * Of two nodes that drop the same pair, the one whose offer made it restarts, so that offers do not cross. The other
 * one steps in only when nothing comes.
 */

import type { InstantMs } from "../machine.ts";

/**
 * Intervals before the second, third, ... attempt: 10, 20, 40 ... 300 s. Profile: an attempt costs a few dozen packets.
 */
const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 300_000;

/** Extra interval of the node that steps in; both nodes detect a dead pair within 6 s of each other. */
const GRACE_MS = 10_000;

/** After a direct path has lasted this long, its loss is followed by an attempt at once again. */
const STABLE_MS = 60_000;

/** Which node's turn it is to offer. */
type Turn = "own" | "peer";

/** Idle until a direct path is lost, or may be lost; active until there is one again. */
export class Recovery {
  #attempts = 0;
  #turn: Turn | undefined;
  #dueAt: InstantMs | undefined;
  #directSince: InstantMs | undefined;

  /** A direct path was lost and is to be restored. */
  get isActive(): boolean {
    return this.#turn !== undefined;
  }

  /** The pair in use is dead. */
  noteLoss(now: InstantMs, turn: Turn): void {
    if (now - (this.#directSince ?? now) >= STABLE_MS) this.#attempts = 0;
    // An end that has begun knows of the change that broke the pair; the other one may not.
    if (this.#turn !== "own") this.#turn = turn;
    this.#schedule(now);
  }

  /** Offer and checks led to no direct path. */
  noteFailure(now: InstantMs): void {
    if (this.isActive) this.#schedule(now);
  }

  /** The network may have changed: a failure is followed by an attempt at once, and one that is due later is due now. */
  begin(now: InstantMs): void {
    this.#attempts = 0;
    this.#turn = "own";
    if (this.#dueAt !== undefined) this.#schedule(now);
  }

  /** A direct pair was selected. */
  noteDirect(now: InstantMs): void {
    this.#directSince = now;
    this.stop();
  }

  /** An offer of either end is in progress: its outcome decides what is next. */
  noteOffer(): void {
    this.#dueAt = undefined;
  }

  /** Stops recovery, because a restart is in progress. */
  stop(): void {
    this.#turn = undefined;
    this.#dueAt = undefined;
  }

  /** True once each time an offer is due. */
  takeDue(now: InstantMs): boolean {
    if (this.#dueAt === undefined || now < this.#dueAt) return false;
    this.#dueAt = undefined;
    return true;
  }

  pollTimeout(): InstantMs | undefined {
    return this.#dueAt;
  }

  #schedule(now: InstantMs): void {
    const waitMs = this.#attempts === 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (this.#attempts - 1), LONGEST_WAIT_MS);
    this.#attempts += 1;
    this.#dueAt = now + waitMs + (this.#turn === "peer" ? GRACE_MS : 0);
  }
}
