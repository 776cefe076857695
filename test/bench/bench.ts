/** What a bench is. */

import type { Timing } from "./measure.ts";

/** One claim and how it is measured. */
export interface Bench {
  readonly name: string;
  readonly claim: string;
  readonly reach: Reach;
  /** The product first; the peer that a ratio is taken against, or a figure to read beside it, second. */
  readonly measure: (rounds: number) => Promise<readonly Timing[]>;
}

/** What fulfils a claim: at most this ratio product : peer, or at most this many seconds, both as medians. */
export type Reach =
  | { readonly kind: "ratio"; readonly most: number }
  | { readonly kind: "seconds"; readonly most: number };
