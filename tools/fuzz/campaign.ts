/** A run of the fuzzer: the same seed and targets produce the same inputs on every machine. */

import { type SeededRng, seededRng } from "../../agent/src/testing/index.ts";
import { mutate } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";

/** An input that violated an invariant. */
export interface Finding {
  readonly target: string;
  readonly input: Uint8Array;
  readonly error: unknown;
  /** Number of the input in the campaign. */
  readonly index: number;
}

/** One input that triggered something new, and what that was. */
interface KeptInput {
  readonly input: Uint8Array;
  readonly met: readonly string[];
}

/** A target with the state of the campaign for it. */
interface Aim {
  readonly target: FuzzTarget;
  readonly pool: Uint8Array[];
  readonly met: Set<string>;
  readonly kept: KeptInput[];
}

/** Inputs kept for further mutation, per target; beyond that a new one replaces another. */
const MAX_POOL = 512;

export interface Campaign {
  readonly aims: readonly Aim[];
  readonly findings: readonly Finding[];
  /** Inputs fed so far. */
  readonly fed: number;
  /** Feeds this many inputs, one target after the other. `onInput` is called with each before it is fed. */
  run(count: number, onInput?: (target: FuzzTarget, input: Uint8Array) => void): void;
}

export function createCampaign(targets: readonly FuzzTarget[], seed: number): Campaign {
  const rng = seededRng(seed);
  const aims = targets.map((target): Aim => ({ target, pool: [...target.seeds], met: new Set(), kept: [] }));
  const findings: Finding[] = [];
  let fed = 0;
  return {
    aims,
    findings,
    get fed() {
      return fed;
    },
    run(count, onInput) {
      for (let i = 0; i < count; i++) {
        const aim = aims[fed % aims.length];
        if (aim === undefined) return;
        const input = draw(aim, rng);
        onInput?.(aim.target, input);
        const failure = feed(aim, input, rng);
        if (failure !== undefined) findings.push({ target: aim.target.name, input, error: failure.error, index: fed });
        fed += 1;
      }
    },
  };
}

/** A mutated input from the pool, repaired three times out of four. */
function draw({ target, pool }: Aim, rng: SeededRng): Uint8Array {
  const pick = (): Uint8Array => pool[rng.integer(0, pool.length - 1)] ?? new Uint8Array(0);
  const input = mutate(pick(), pick(), rng);
  return rng.integer(0, 3) === 0 ? input : target.repair(input, rng);
}

function feed(aim: Aim, input: Uint8Array, rng: SeededRng): { readonly error: unknown } | undefined {
  // An exception is what the fuzzer looks for.
  try {
    keepIfNew(aim, input, aim.target.run(input, rng), rng);
    return undefined;
  } catch (error) {
    return { error };
  }
}

function keepIfNew({ met, pool, kept }: Aim, input: Uint8Array, features: readonly string[], rng: SeededRng): void {
  const added = features.filter((feature) => !met.has(feature));
  if (added.length === 0) return;
  for (const feature of added) met.add(feature);
  kept.push({ input, met: added });
  if (pool.length < MAX_POOL) pool.push(input);
  else pool[rng.integer(0, pool.length - 1)] = input;
}
