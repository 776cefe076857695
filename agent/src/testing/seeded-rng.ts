/** Reproducible random numbers for simulations, not for secrets. */

import type { Rng } from "../core/machine.ts";

/** A generator whose sequence is determined by its seed. */
export interface SeededRng extends Rng {
  /** A number in [0, 1). */
  fraction(): number;
  /** An integer in [low, high], both included. */
  integer(low: number, high: number): number;
}

/** Creates a generator from any 32-bit seed (splitmix32); different seeds give unrelated sequences. */
export function seededRng(seed: number): SeededRng {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let word = state ^ (state >>> 16);
    word = Math.imul(word, 0x21f0aaad);
    word ^= word >>> 15;
    word = Math.imul(word, 0x735a2d97);
    return (word ^ (word >>> 15)) >>> 0;
  };
  const fraction = (): number => next() / 2 ** 32;
  return {
    bytes: (length) => Uint8Array.from({ length }, () => next() & 0xff),
    fraction,
    integer: (low, high) => low + Math.floor(fraction() * (high - low + 1)),
  };
}
