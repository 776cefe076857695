/** Reads, parses and resolves the topologies that the user named; reports all problems at once. */

import { dirname } from "node:path";
import { counted } from "../report/text-table.ts";
import type { RuntimeChoice } from "../runtime/runtime-name.ts";
import { TestbedError } from "../support/errors.ts";
import { interrupted } from "../support/interruption.ts";
import { formatIssue } from "../topology/file/issue.ts";
import type { ResolvedTopology } from "../topology/model/resolved.ts";
import { loadTopology } from "../topology/resolve/load.ts";
import type { CommandContext } from "./context.ts";
import { programsOf } from "./create-runtime.ts";
import { filesBeside } from "./referenced-files.ts";
import { readTopologyFile } from "./topology-files.ts";

/** Most problems printed: who mends these sees the others next. */
const ISSUES_SHOWN = 20;

export interface LoadOptions {
  /** Replaces the seeds of the files. */
  readonly seed?: number | undefined;
  /** The runtime that hosts must be able to run on; `auto`, any, when absent. */
  readonly runtime?: RuntimeChoice;
}

export interface LoadedTopology {
  readonly topology: ResolvedTopology;
  /** The text of the file, for the copy in the results. */
  readonly text: string;
}

/**
 * Throws `unknown-topology`, or `bad-topology` with the problems of every file. An interruption ends the wait for a file
 * whose file system does not answer.
 */
export async function loadTopologies(
  wanted: readonly string[],
  { directory, signal }: Pick<CommandContext, "directory"> & Partial<Pick<CommandContext, "signal">>,
  options: LoadOptions = {},
): Promise<readonly LoadedTopology[]> {
  const { seed, runtime = "auto" } = options;
  const programs = programsOf(runtime);
  const resolving = { ...(seed === undefined ? {} : { seed }), ...(programs === undefined ? {} : { programs }) };
  const reading = Promise.all(wanted.map((name) => readTopologyFile(name, directory)));
  const files = await (signal === undefined ? reading : Promise.race([reading, interrupted(signal)]));
  const loaded = files.map(({ file, path, text }) => {
    const referenced = filesBeside(dirname(path));
    return { text, result: loadTopology(text, file, { ...resolving, referenced }) };
  });
  const issues = loaded.flatMap(({ result }) => (result.ok ? [] : result.issues));
  if (issues.length > 0) {
    const shown = issues.slice(0, ISSUES_SHOWN);
    const first = shown.length < issues.length ? `, of which these are the first ${shown.length}` : "";
    const heading = `${counted(issues.length, "problem")}${first}; nothing was created`;
    throw new TestbedError("bad-topology", [heading, ...shown.map(formatIssue)].join("\n"), {
      hint: "topologies/README.md describes every field",
    });
  }
  return loaded.flatMap(({ text, result }) => (result.ok ? [{ text, topology: result.topology }] : []));
}
