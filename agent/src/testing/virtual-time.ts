/** Virtual time: a queue of actions by instant. Actions at equal instants run in the order of scheduling. */

import type { InstantMs } from "../core/machine.ts";

/** Actions at one instant after which the simulation is considered stuck. */
const MAX_ACTIONS_PER_INSTANT = 100_000;

interface Entry {
  readonly at: InstantMs;
  readonly action: () => void;
  isCancelled: boolean;
}

/** A clock that jumps from one scheduled action to the next. */
export class VirtualTime {
  #now: InstantMs = 0;
  #actionsAtNow = 0;
  /** Sorted by instant, latest first, so that the next action is popped from the end. */
  readonly #queue: Entry[] = [];

  get now(): InstantMs {
    return this.#now;
  }

  /** Runs `action` at an instant, or next if that is in the past; the returned function cancels it. */
  at(instant: InstantMs, action: () => void): () => void {
    const entry: Entry = { at: Math.max(instant, this.#now), action, isCancelled: false };
    this.#queue.splice(this.#indexBehind(entry.at), 0, entry);
    return () => {
      entry.isCancelled = true;
    };
  }

  /** Runs everything up to and including an instant and sets the clock to it. */
  runUntil(instant: InstantMs): void {
    this.runWhile(() => true, instant);
    this.#advance(instant);
  }

  /** Runs actions due by `limit` while the predicate holds; true when it no longer does. */
  runWhile(condition: () => boolean, limit: InstantMs): boolean {
    while (condition()) {
      const next = this.#queue.at(-1);
      if (next === undefined || next.at > limit) return false;
      this.#queue.pop();
      if (next.isCancelled) continue;
      this.#advance(next.at);
      this.#countAction();
      next.action();
    }
    return true;
  }

  #advance(instant: InstantMs): void {
    if (instant <= this.#now) return;
    this.#now = instant;
    this.#actionsAtNow = 0;
  }

  #countAction(): void {
    this.#actionsAtNow++;
    if (this.#actionsAtNow > MAX_ACTIONS_PER_INSTANT) throw new Error(`virtual time is stuck at ${this.#now} ms`);
  }

  /** Position of an entry that puts it after all entries of the same instant. */
  #indexBehind(at: InstantMs): number {
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#queue[middle]?.at ?? 0) > at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
