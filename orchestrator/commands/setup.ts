/** `npm run setup`: prepares the machine for `npm run testbed nat-nat`; fast if it is already prepared. */

import { checkSetUp, type SetupTarget, setUp } from "../setup/setup.ts";
import { interrupted } from "../support/interruption.ts";
import type { CommandContext, ExitCode } from "./context.ts";

export interface SetupOptions {
  /** Only report; exit code 3 if something is missing. */
  readonly check: boolean;
  /** The runtime to prepare. */
  readonly runtime: SetupTarget;
}

export async function setup({ check, runtime }: SetupOptions, { say, signal }: CommandContext): Promise<ExitCode> {
  if (check) return (await checkSetUp(runtime, say)) ? 0 : 3;
  // An interruption ends the wait, but does not stop a running package manager.
  await Promise.race([setUp(runtime, say), interrupted(signal)]);
  say(`ready: npm run testbed nat-nat${runtime === "netns" ? " -- --runtime netns" : ""}`);
  return 0;
}
