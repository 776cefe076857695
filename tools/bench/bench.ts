/** What a bench is. */

import type { Series } from "./measure.ts";

/** One comparison and how it is measured. */
export interface Bench {
  readonly name: string;
  /** What the ratio is of, such as "testbed list : node, doing nothing". */
  readonly compares: string;
  /** Absent where the ratio is only a figure to know. */
  readonly reach?: Reach;
  /** The product first, what it is compared with second, figures to read beside them after that. */
  readonly measure: (options: MeasureOptions) => Promise<readonly Series[]>;
}

export interface MeasureOptions {
  readonly rounds: number;
  /** Another checkout of this repository to compare with. */
  readonly against?: string;
}

/** The limit of a ratio, product : peer. */
export type Reach = { readonly most: number } | { readonly least: number };
