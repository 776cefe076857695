/** What a bench is. */

import type { Timing } from "./measure.ts";

/** One claim and how it is measured: the product first, the peer it is held against second. */
export interface Bench {
  readonly name: string;
  readonly claim: string;
  /** Largest ratio product : peer that fulfils the claim. */
  readonly reach: number;
  readonly measure: (rounds: number) => Promise<readonly Timing[]>;
}
