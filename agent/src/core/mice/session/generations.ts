/**
 * The generations of one session: the current one, and while that has proved no path, the one before whose direct pair
 * carries the data. An offer is not authenticated, so a restart breaks nothing before it has led to something.
 */

import type { IceCredentials, IceStats } from "../../ice/ice-machine.ts";
import { isRelayed } from "../../ice/pair.ts";
import type { InstantMs } from "../../machine.ts";
import type { Generation } from "./generation.ts";

/** The generation before the current one, and what the peer's credentials were. */
export interface Standby {
  readonly generation: Generation;
  readonly remoteCredentials: IceCredentials | undefined;
  /** The current generation has this long to prove a path. */
  readonly until: InstantMs;
}

export class Generations {
  #current: Generation | undefined;
  #standby: Standby | undefined;
  readonly #onRetired: (stats: IceStats) => void;

  /** `onRetired` takes the counters of each generation that ends. */
  constructor(onRetired: (stats: IceStats) => void) {
    this.#onRetired = onRetired;
  }

  get current(): Generation | undefined {
    return this.#current;
  }

  get standby(): Standby | undefined {
    return this.#standby;
  }

  /** The generation whose pair carries data, if any does. */
  get inUse(): Generation | undefined {
    return this.#standby?.generation ?? this.#current;
  }

  /** Both, the current one first. */
  all(): readonly Generation[] {
    return [this.#current, this.#standby?.generation].filter((generation) => generation !== undefined);
  }

  /** Begins a new generation. The one before stands by if its pair carries data; an unproved one ends. */
  begin(generation: Generation, before: Omit<Standby, "generation"> & { readonly isInUse: boolean }): void {
    const { isInUse, ...standby } = before;
    if (this.#current !== undefined && this.#standby === undefined && isInUse && hasDirectPair(this.#current))
      this.#standby = { ...standby, generation: this.#current };
    else this.#retire(this.#current);
    this.#current = generation;
  }

  /** The current generation has proved its path. */
  settle(): void {
    this.#retire(this.#standby?.generation);
    this.#standby = undefined;
  }

  /** The current generation has come to nothing: the one before is current again. */
  revert(): Standby | undefined {
    const standby = this.#standby;
    if (standby === undefined) return undefined;
    this.#retire(this.#current);
    this.#current = standby.generation;
    this.#standby = undefined;
    return standby;
  }

  /** Ends the current one. */
  retireCurrent(): void {
    this.#retire(this.#current);
    this.#current = undefined;
  }

  /** Ends both. */
  retireAll(): void {
    this.settle();
    this.retireCurrent();
  }

  #retire(generation: Generation | undefined): void {
    if (generation === undefined) return;
    this.#onRetired(generation.ice.stats());
    generation.releaseCandidates();
    generation.ice.close();
  }
}

/** True while data may go on the selected pair. */
export function hasDirectPair({ ice }: Generation): boolean {
  const selected = ice.state === "completed" ? ice.selectedPair() : undefined;
  return selected !== undefined && !isRelayed(selected);
}
