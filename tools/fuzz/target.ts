/** What the fuzzer aims at, and the promises that every target keeps whatever it is fed. */

import type { SeededRng } from "../../agent/src/testing/index.ts";

/** One way into the agent for bytes that somebody else wrote. */
export interface FuzzTarget {
  readonly name: string;
  /** Good inputs to begin with. */
  readonly seeds: readonly Uint8Array[];
  /** Mends lengths and checksums of a changed input, so that it gets past the first check. */
  readonly repair: (input: Uint8Array, rng: SeededRng) => Uint8Array;
  /**
   * Feeds one input and gives what it met: result codes, kinds, counters. Inputs that meet something new are kept and
   * mutated further. Throws when the target throws or breaks a promise.
   */
  readonly run: (input: Uint8Array, rng: SeededRng) => readonly string[];
}

/** Throws when something grew beyond what its cause allows. */
export function expectAtMost(limit: number, actual: number, what: string): void {
  if (actual > limit) throw new Error(`${what}: ${actual}, more than ${limit}`);
}

/** Roughly the memory that a decoded value holds, octets: what must stay in proportion to the input. */
function weightOf(value: unknown): number {
  switch (typeof value) {
    case "string":
      return value.length;
    case "number":
    case "bigint":
      return 8;
    case "object":
      if (value === null) return 0;
      if (value instanceof Uint8Array) return value.length;
      return Object.values(value).reduce<number>((sum, part) => sum + weightOf(part), 8);
    default:
      return 1;
  }
}

/** Throws when a decoded value holds far more than the octets it came from: allocation by an attacker's length. */
export function expectProportional(value: unknown, inputLength: number): void {
  expectAtMost(512 + 24 * inputLength, weightOf(value), `weight of what ${inputLength} octets decoded to`);
}
