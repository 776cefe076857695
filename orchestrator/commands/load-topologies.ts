/** Reads, parses and resolves the topologies that the user named; reports all problems at once. */

import { TestbedError } from "../support/errors.ts";
import { formatIssue } from "../topology/file/issue.ts";
import type { ResolvedTopology } from "../topology/model/resolved.ts";
import { loadTopology } from "../topology/resolve/load.ts";
import type { ResolveOptions } from "../topology/resolve/resolve.ts";
import { readTopologyFile } from "./topology-files.ts";

export interface LoadedTopology {
  readonly topology: ResolvedTopology;
  /** The text of the file, for the copy in the results. */
  readonly text: string;
}

/** Throws `unknown-topology`, or `bad-topology` with every problem of every file. */
export async function loadTopologies(
  wanted: readonly string[],
  directory: string,
  options: ResolveOptions = {},
): Promise<readonly LoadedTopology[]> {
  const files = await Promise.all(wanted.map((name) => readTopologyFile(name, directory)));
  const loaded = files.map(({ file, text }) => ({ text, result: loadTopology(text, file, options) }));
  const issues = loaded.flatMap(({ result }) => (result.ok ? [] : result.issues));
  if (issues.length > 0) {
    const count = issues.length === 1 ? "1 problem" : `${issues.length} problems`;
    throw new TestbedError("bad-topology", [`${count}; nothing was created`, ...issues.map(formatIssue)].join("\n"), {
      hint: "topologies/README.md describes every field",
    });
  }
  return loaded.flatMap(({ text, result }) => (result.ok ? [{ text, topology: result.topology }] : []));
}
