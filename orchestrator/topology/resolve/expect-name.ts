/** Checks single names in a topology file, and suggests another for one that does not exist. */

import { formatPath, type IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import { listNames, nearestName } from "../file/nearest-name.ts";
import type { NodeEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";

/** Reports a segment that does not exist; false then. */
export function expectSegment(topology: Topology, name: string, path: IssuePath, report: Report): boolean {
  if (topology.segments.has(name)) return true;
  const names = declaredNames(topology, "segments", topology.segments.keys());
  if (!isBroken(topology, "segments", name))
    report("unknown-reference", path, `expected a segment; found "${name}"; ${advice(name, names)}`);
  return false;
}

/** Reports a node that does not exist or has none of these roles; false then. */
export function expectNode(
  topology: Topology,
  name: string,
  roles: readonly NodeEntry["role"][],
  path: IssuePath,
  report: Report,
): boolean {
  const entry = topology.nodes.get(name);
  if (entry !== undefined && roles.includes(entry.role)) return true;
  if (entry === undefined && isBroken(topology, "nodes", name)) return false;
  const fitting = [...topology.nodes].filter(([, { role }]) => roles.includes(role)).map(([candidate]) => candidate);
  const names = declaredNames(topology, "nodes", fitting);
  const found = entry === undefined ? `found "${name}"` : `found ${name}, which is a ${entry.role}`;
  report(
    "unknown-reference",
    path,
    `expected a ${roles.join(", ").replace(/, ([^,]*)$/, " or $1")}; ${found}; ${advice(name, names)}`,
  );
  return false;
}

/** Whether a name may exist once a problem already reported, of its entry or the whole block, is fixed. */
export function isBroken({ broken }: Topology, key: "segments" | "nodes", name: string): boolean {
  return broken.has(key) || broken.has(formatPath([key, name]));
}

/** Names that exist, including those of invalid entries. */
function declaredNames({ broken }: Topology, key: "segments" | "nodes", sound: Iterable<string>): readonly string[] {
  const prefix = `${key}.`;
  return [...sound, ...[...broken].filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length))];
}

/** Suggests which of the existing names may be meant. */
export function advice(name: string, names: readonly string[]): string {
  if (names.length === 0) return "there is none: add one";
  const near = nearestName(name, names);
  return near === undefined ? `there are: ${listNames(names)}` : `did you mean ${near}?`;
}
