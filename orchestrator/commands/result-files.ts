/** The files of a results directory: what cannot be written is told at the end, and does not take the verdict away. */

import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { displayPath } from "../support/display-path.ts";
import { TestbedError } from "../support/errors.ts";
import { inParallel } from "../support/in-parallel.ts";
import { cureOf, systemCode } from "../support/system-error.ts";

/** A file by its path in the directory. Content in parts is never one text, which has a longest length. */
export interface ResultFile {
  readonly name: string;
  readonly content: string | Uint8Array | Iterable<string>;
}

export interface ResultFiles {
  /** Writes files, none of them by halves. Never rejects: see `failure`. */
  write(files: readonly ResultFile[]): Promise<void>;
  /** Why a file could not be written: `output-failed`, with the file and what to do. The first one counts. */
  failure(): TestbedError | undefined;
}

/** Files open at once: some of the few that a process may have. */
const AT_ONCE = 4;

/** Writes below `directory`; errors show paths as from `from`. */
export function createResultFiles(directory: string, from: string): ResultFiles {
  let failure: TestbedError | undefined;
  const writeOne = async ({ name, content }: ResultFile): Promise<void> => {
    const path = join(directory, name);
    try {
      // The directory is there: a lost one is not made anew, with half of its files.
      if (dirname(name) !== ".") await mkdir(dirname(path)).catch(unlessThere);
      await writeFile(path, content);
    } catch (cause) {
      failure ??= writingFailed(displayPath(path, from), cause);
      await rm(path, { force: true }).catch(() => undefined);
    }
  };
  return {
    write: (files) => inParallel(files, AT_ONCE, new AbortController().signal, writeOne),
    failure: () => failure,
  };
}

function writingFailed(path: string, cause: unknown): TestbedError {
  const found = cause instanceof Error ? cause.message : String(cause);
  const isGone = systemCode(cause) === "ENOENT";
  const cure = isGone ? "the directory was removed during the run; leave it until the run has ended" : cureOf(cause);
  return new TestbedError("output-failed", `expected to be able to write ${path}: ${found}`, {
    hint: cure ?? "give another directory with --out",
    cause,
  });
}

function unlessThere(error: unknown): void {
  if (systemCode(error) !== "EEXIST") throw error;
}
