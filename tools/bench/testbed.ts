/** The product as users start it, with and without npm. */

import type { Command } from "./measure.ts";

export function testbed(...args: readonly string[]): Command {
  return [process.execPath, "orchestrator/launch.js", ...args];
}

/** The same for every version of this repository, in the directory of its checkout. */
export function testbedUnderNpm(...args: readonly string[]): Command {
  return ["npm", "run", "--silent", "testbed", "--", ...args];
}

/** The cost of a process that does nothing. */
export const IDLE_NODE: Command = [process.execPath, "-e", "0"];
