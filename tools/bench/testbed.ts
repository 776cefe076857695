/** The product as a user starts it, without npm and with it. */

import type { Command } from "./measure.ts";

export function testbed(...args: readonly string[]): Command {
  return [process.execPath, "orchestrator/launch.js", ...args];
}

export function testbedUnderNpm(...args: readonly string[]): Command {
  return ["npm", "run", "--silent", "testbed", "--", ...args];
}
