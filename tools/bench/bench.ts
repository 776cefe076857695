/** The definition of a bench. */

import type { Series } from "./measure.ts";

/** One comparison and how it is measured. */
export interface Bench {
  readonly name: string;
  /** The two sides of the ratio, such as "testbed list : node, doing nothing". */
  readonly compares: string;
  /** Absent if the ratio has no limit. */
  readonly reach?: Reach;
  /** The product first, its peer second, then further figures. */
  readonly measure: (options: MeasureOptions) => Promise<readonly Series[]>;
}

export interface MeasureOptions {
  readonly rounds: number;
  /** Another checkout of this repository to compare with. */
  readonly against?: string;
}

/** The limit of a ratio, product : peer. */
export type Reach = { readonly most: number } | { readonly least: number };
