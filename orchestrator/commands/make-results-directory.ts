/** Creates the results directory of a run or matrix. */

import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { TestbedError } from "../support/errors.ts";
import { systemCode } from "../support/system-error.ts";

/**
 * Creates `<out>/<run-id>`, with `out` relative to `from`, and returns its path. Throws `bad-usage` if it cannot, also
 * where there is something of that name already: another user's folder, or a link that leads elsewhere.
 */
export async function makeResultsDirectory(out: string, from: string, runId: string): Promise<string> {
  const directory = resolve(from, out, runId);
  try {
    await makeParents(dirname(directory));
    await mkdir(directory);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new TestbedError("bad-usage", `expected to be able to write results to ${out}: ${found}`, {
      hint: "give another directory with --out",
      cause,
    });
  }
  return directory;
}

/** Node's `recursive` never returns where nothing can be created below an existing directory, as in /proc. */
async function makeParents(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    const code = systemCode(error);
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(directory) === directory) throw error;
    await makeParents(dirname(directory));
    await mkdir(directory).catch(unlessMadeMeanwhile);
  }
}

function unlessMadeMeanwhile(error: unknown): void {
  if (systemCode(error) !== "EEXIST") throw error;
}
