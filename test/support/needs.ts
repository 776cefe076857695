/**
 * What the tests of a file need from the machine. If it is missing they are skipped and the reason is printed; under CI
 * the file fails instead, so that nothing is skipped there.
 */

import { describe, test } from "vitest";
import { connectEngine } from "../../orchestrator/runtime/docker/engine.ts";
import { checkNetns } from "../../orchestrator/setup/netns-setup.ts";
import { TestbedError } from "../../orchestrator/support/errors.ts";
import { isInstalled } from "../../orchestrator/support/search-path.ts";

/**
 * `engine`: a Docker engine that this user may use. `netns`: everything needed for labs of namespaces. `python3`: that
 * program of the machine.
 */
export type Need = "engine" | "netns" | "python3" | "root";

/** vitest's functions, or ones that skip. Skipped files run no hooks either. */
interface Suite {
  readonly describe: typeof describe.skip;
  readonly test: typeof test.skip;
}

export async function needs(...wanted: readonly Need[]): Promise<Suite> {
  const missing = (await Promise.all(wanted.map(findMissing))).flat();
  if (missing.length === 0) return { describe, test };
  const reason = `these tests need what this machine lacks: ${missing.join("; ")}`;
  if (isCi(process.env)) throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return { describe: describe.skip, test: test.skip };
}

/** `CI` as CI systems set it. */
export function isCi({ CI = "" }: Readonly<Record<string, string | undefined>>): boolean {
  return !["", "0", "false"].includes(CI);
}

async function findMissing(need: Need): Promise<readonly string[]> {
  switch (need) {
    case "engine":
      return findMissingEngine();
    case "netns":
      return (await checkNetns()).filter(({ state }) => state === "missing").map(({ text }) => text);
    case "python3":
      return (await isInstalled("python3")) ? [] : ["python3 (apt-get install python3)"];
    case "root":
      return process.getuid?.() === 0 ? [] : ["root: this user is an ordinary one"];
  }
}

async function findMissingEngine(): Promise<readonly string[]> {
  try {
    await connectEngine();
    return [];
  } catch (error) {
    if (!(error instanceof TestbedError)) throw error;
    return [`${error.message} (npm run setup)`];
  }
}
