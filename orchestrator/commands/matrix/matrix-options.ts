/** The options of `testbed matrix`. */

import type { RuntimeChoice } from "../../runtime/runtime-name.ts";

export interface MatrixOptions {
  /** Several are run in turn. */
  readonly runtime: readonly RuntimeChoice[];
  /** NATs and firewalls of both sides; the nine behaviours of RFC 4787 when absent. */
  readonly with?: readonly string[];
  /** NATs and firewalls of one side, in place of `with`. */
  readonly mn?: readonly string[];
  readonly cn?: readonly string[];
  /** Concurrent labs; as many as the machine can carry when absent. */
  readonly jobs?: number;
  /** Whether every pair runs twice, with the offer from either end. */
  readonly bothOrders: boolean;
  /** Whether every cell gets a new lab; otherwise labs are reused, and their routers load other rules. */
  readonly freshLabs: boolean;
  readonly json: boolean;
  /** Results directory, relative to the user's directory. */
  readonly out: string;
  readonly seed?: number;
  /** Per cell. */
  readonly timeoutMs: number;
  /** Factor of its steps' timeouts. */
  readonly timeouts: number;
}
