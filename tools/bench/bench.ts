/** What a bench is. */

import type { Series } from "./measure.ts";

/** One claim and how it is measured. */
export interface Bench {
  readonly name: string;
  readonly claim: string;
  readonly reach: Reach;
  /** The product first; the peer that a ratio is taken against, or a figure to read beside it, second. */
  readonly measure: (rounds: number) => Promise<readonly Series[]>;
}

/**
 * What fulfils a claim: a limit on the ratio product : peer or on the product's own figure. Medians, unless `share` asks
 * for another part of the product's values, such as 0.99.
 */
export interface Reach {
  readonly of: "ratio" | "value";
  readonly most?: number;
  readonly least?: number;
  readonly share?: number;
}
