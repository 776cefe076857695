/** From the text of a topology file to a resolved topology, or to everything that is wrong with it. */

import { inFileOrder, type TopologyIssue } from "../file/issue.ts";
import { readTopology } from "../file/parse.ts";
import type { ResolvedTopology } from "../model/resolved.ts";
import { type ResolveOptions, resolveTopology } from "./resolve.ts";

export type LoadResult =
  | { readonly ok: true; readonly topology: ResolvedTopology }
  | { readonly ok: false; readonly issues: readonly TopologyIssue[] };

/**
 * Parses and resolves. Valid parts are resolved even where others are not, so that the issues of both stages are
 * reported together, in the order of the file.
 */
export function loadTopology(text: string, file: string, options: ResolveOptions = {}): LoadResult {
  const { topology, issues } = readTopology(text, file);
  if (topology === undefined) return { ok: false, issues };
  const resolved = resolveTopology(topology, options);
  const all = resolved.ok ? issues : [...issues, ...resolved.issues];
  if (resolved.ok && all.length === 0) return resolved;
  return { ok: false, issues: inFileOrder(all) };
}
