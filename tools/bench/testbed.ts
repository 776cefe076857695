/** The product as a user starts it, without npm and with it. */

import type { Command } from "./measure.ts";

export function testbed(...args: readonly string[]): Command {
  return [process.execPath, "orchestrator/launch.js", ...args];
}

/** The same in every version of this repository, in the directory of its checkout. */
export function testbedUnderNpm(...args: readonly string[]): Command {
  return ["npm", "run", "--silent", "testbed", "--", ...args];
}

/** What a process costs that has nothing to do. */
export const IDLE_NODE: Command = [process.execPath, "-e", "0"];
