/** Creates the results directory of a run or matrix. */

import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { TestbedError } from "../support/errors.ts";

/** Creates `<out>/<run-id>`, with `out` relative to `from`, and returns its path. Throws `bad-usage` if it cannot. */
export async function makeResultsDirectory(out: string, from: string, runId: string): Promise<string> {
  const directory = resolve(from, out, runId);
  try {
    await makeDirectory(directory);
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw new TestbedError("bad-usage", `expected to be able to write results to ${out}: ${found}`, {
      hint: "give another directory with --out",
      cause,
    });
  }
  return directory;
}

function unlessMadeMeanwhile(error: unknown): void {
  if (codeOf(error) !== "EEXIST") throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** Node's `recursive` never returns where nothing can be created below an existing directory, as in /proc. */
async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    const code = codeOf(error);
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || dirname(directory) === directory) throw error;
    await makeDirectory(dirname(directory));
    await mkdir(directory).catch(unlessMadeMeanwhile);
  }
}
