/**
 * When a session that has lost its direct path offers anew: at once, and after each attempt in vain later and later.
 *
 * Of two nodes that bury the same pair the one whose offer made it restarts, so that offers do not cross; the other one
 * only steps in when nothing comes of that.
 */

import type { InstantMs } from "../machine.ts";

/** Waits before the second, third, ... attempt: 10, 20, 40 ... 300 s. Ours: an attempt costs a few dozen packets. */
const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 300_000;

/** How much longer the node waits whose turn it is not; both notice a death within 6 s of each other. */
const GRACE_MS = 10_000;

/** A direct path that lived this long makes its loss a new story: the next attempt is at once again. */
const STABLE_MS = 60_000;

/** Whose turn it is to offer. */
type Turn = "own" | "peer";

/** Idle until a direct path is lost; from there on until there is one again. */
export class Recovery {
  #attempts = 0;
  #turn: Turn | undefined;
  #dueAt: InstantMs | undefined;
  #directSince: InstantMs | undefined;

  /** A direct path was lost and is to be won back. */
  get isActive(): boolean {
    return this.#turn !== undefined;
  }

  /** The pair in use is dead. */
  noteLoss(now: InstantMs, turn: Turn): void {
    if (now - (this.#directSince ?? now) >= STABLE_MS) this.#attempts = 0;
    this.#turn = turn;
    this.#schedule(now);
  }

  /** Offer and checks led to no direct path. */
  noteFailure(now: InstantMs): void {
    if (this.isActive) this.#schedule(now);
  }

  /** A direct pair was selected. */
  noteDirect(now: InstantMs): void {
    this.#directSince = now;
    this.stop();
  }

  /** An offer of either end is under way: its outcome decides what comes next. */
  noteOffer(): void {
    this.#dueAt = undefined;
  }

  /** Wants nothing back any more, because a fresh start is under way. */
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
