/** The options of `testbed matrix`. */

import type { RuntimeChoice } from "../../runtime/runtime-name.ts";

export interface MatrixOptions {
  /** More than one are run in turn. */
  readonly runtime: readonly RuntimeChoice[];
  /** Middleboxes on both sides; the nine behaviours of RFC 4787 when absent. */
  readonly with?: readonly string[];
  /** Middleboxes of one side, in place of `with`. */
  readonly mn?: readonly string[];
  readonly cn?: readonly string[];
  /** Labs at once; as many as the machine takes when absent. */
  readonly jobs?: number;
  /** Whether every pair runs twice, the offer coming from either end. */
  readonly bothOrders: boolean;
  /** Whether every cell gets a new lab; else labs stay, and their middleboxes take other rules. */
  readonly freshLabs: boolean;
  readonly json: boolean;
  /** Directory for results, from where the user is. */
  readonly out: string;
  readonly seed?: number;
  /** For each cell. */
  readonly timeoutMs: number;
  /** Factor of the timeouts of its steps. */
  readonly timeouts: number;
}
