/** Resolves names, fills defaults in, assigns addresses and routes; finds everything that does not fit together. */

import type { TopologyIssue } from "./issue.ts";
import type { ResolvedTopology } from "./resolved.ts";
import type { Topology } from "./topology.ts";

export interface ResolveOptions {
  /** Replaces the file's seed. */
  readonly seed?: number;
}

export type ResolveResult =
  | { readonly ok: true; readonly topology: ResolvedTopology }
  | { readonly ok: false; readonly issues: readonly TopologyIssue[] };

/** Resolves a topology that parsed. */
export function resolveTopology(topology: Topology, options: ResolveOptions = {}): ResolveResult {
  void options;
  return { ok: false, issues: [topology.issueAt("yaml", [], "")] };
}
