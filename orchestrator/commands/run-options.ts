/** The options of `testbed run`. */

import type { RuntimeChoice } from "../runtime/runtime-name.ts";

export interface RunOptions {
  readonly runtime: RuntimeChoice;
  readonly keep: boolean;
  readonly json: boolean;
  /** Results directory, relative to the user's directory. */
  readonly out: string;
  readonly seed?: number;
  readonly timeoutMs: number;
  /** Factor of the timeouts of a run's steps. */
  readonly timeouts: number;
  readonly capture: boolean;
}
