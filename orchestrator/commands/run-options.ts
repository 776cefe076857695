/** The options of `testbed run`. */

import type { RuntimeChoice } from "../runtime/runtime-name.ts";

export interface RunOptions {
  readonly runtime: RuntimeChoice;
  readonly keep: boolean;
  readonly json: boolean;
  /** Directory for results, from where the user is. */
  readonly out: string;
  readonly seed?: number;
  readonly timeoutMs: number;
  /** Factor of the timeouts of a run's steps. */
  readonly timeouts: number;
  readonly capture: boolean;
}
