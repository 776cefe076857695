/** Everything a machine needs for `npm run testbed`, by runtime. */

import type { RuntimeName } from "../runtime/runtime-name.ts";
import { TestbedError } from "../support/errors.ts";
import { checkDocker, setUpDocker } from "./docker-setup.ts";
import { formatFindings, isComplete } from "./finding.ts";
import { checkNetns, setUpNetns } from "./netns-setup.ts";
import type { Say } from "./progress.ts";

/** `all`: docker must work in the end; what netns lacks is installed where possible. */
export type SetupTarget = RuntimeName | "all";

/**
 * Installs and starts what is missing, and prints each step. Throws `setup-failed` where the machine does not allow it.
 */
export async function setUp(target: SetupTarget, say: Say): Promise<void> {
  switch (target) {
    case "docker":
      return setUpDocker(say);
    case "netns":
      return setUpNetns(say);
    case "all":
      await setUpDocker(say);
      return setUpNetns(say).catch((error: unknown) => {
        if (!(error instanceof TestbedError)) throw error;
        say(`the netns runtime is not ready: ${error.message}${error.hint === undefined ? "" : ` (${error.hint})`}`);
      });
  }
}

/** Prints what is there and what is missing, and changes nothing. Returns whether nothing is missing. */
export async function checkSetUp(target: SetupTarget, say: Say): Promise<boolean> {
  const findings = [
    ...(target === "netns" ? [] : await checkDocker()),
    ...(target === "docker" ? [] : await checkNetns()),
  ];
  for (const line of formatFindings(findings)) say(line);
  return isComplete(findings);
}
