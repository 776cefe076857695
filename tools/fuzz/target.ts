/** The targets of the fuzzer, and the invariants that hold for any input. */

import type { SeededRng } from "../../agent/src/testing/index.ts";

/** One way for untrusted octets into the agent. */
export interface FuzzTarget {
  readonly name: string;
  /** Valid inputs to start with. */
  readonly seeds: readonly Uint8Array[];
  /** Repairs lengths and checksums of a mutated input, so that it passes the first check. */
  readonly repair: (input: Uint8Array, rng: SeededRng) => Uint8Array;
  /**
   * Feeds one input and returns what it triggered: result codes, kinds, counters. Inputs that trigger something new are
   * kept and mutated further. Throws when the target throws or violates an invariant.
   */
  readonly run: (input: Uint8Array, rng: SeededRng) => readonly string[];
}

/** Throws when something grew beyond its limit. */
export function expectAtMost(limit: number, actual: number, what: string): void {
  if (actual > limit) throw new Error(`${what}: ${actual}, more than ${limit}`);
}

/** Approximate memory that a decoded value holds, octets: must stay in proportion to the input. */
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

/**
 * Throws when a decoded value holds far more than the octets it came from: allocation by an attacker's length field.
 */
export function expectProportional(value: unknown, inputLength: number): void {
  expectAtMost(512 + 24 * inputLength, weightOf(value), `weight of what ${inputLength} octets decoded to`);
}
