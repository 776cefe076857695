/** Hosts that extend other hosts: an entry takes from another one what it does not say itself. */

import { isMapping, type Mapping, ownValue } from "./mapping.ts";
import { nearestName } from "./nearest-name.ts";
import type { ShapeIssue } from "./shape-issue.ts";

/** Mappings of a host of which an extending one replaces single keys. */
const MERGED_KEYS = ["environment", "files", "sysctls"] as const;

/** Keys of which a host has one: either hides the other one of the base. */
const SOURCE_KEYS = ["image", "build"] as const;

/**
 * The file's data with every host that has `extends` made whole, and what is wrong with these references. An entry whose
 * reference is wrong is left without `extends`.
 */
export function expandHosts(data: unknown): { readonly data: unknown; readonly issues: readonly ShapeIssue[] } {
  const nodes = ownValue(data, "nodes");
  if (!isMapping(data) || !isMapping(nodes)) return { data, issues: [] };
  if (!Object.values(nodes).some((entry) => ownValue(entry, "extends") !== undefined)) return { data, issues: [] };
  const expanded = Object.entries(nodes).map(([name, entry]) => [name, expand(nodes, name, entry)]);
  const issues = Object.entries(nodes).flatMap(([name, entry]): ShapeIssue[] => {
    const problem = problemOf(nodes, name, ownValue(entry, "extends"));
    return problem === undefined ? [] : [{ ...problem, path: ["nodes", name, "extends"], at: "value" }];
  });
  return { data: { ...data, nodes: Object.fromEntries(expanded) as Mapping }, issues };
}

/** `seen`: the names on the way here. */
function expand(nodes: Mapping, name: string, entry: unknown, seen: readonly string[] = []): unknown {
  const base = ownValue(entry, "extends");
  if (!isMapping(entry) || base === undefined) return entry;
  const { extends: _, ...own } = entry;
  if (typeof base !== "string" || base === name || seen.includes(base)) return own;
  const inherited = expand(nodes, base, ownValue(nodes, base), [...seen, name]);
  return isMapping(inherited) ? merge(inherited, own) : own;
}

/** What is wrong with the reference of one entry; nothing without one. */
function problemOf(nodes: Mapping, name: string, base: unknown): Pick<ShapeIssue, "code" | "message"> | undefined {
  if (base === undefined) return undefined;
  if (typeof base !== "string")
    return { code: "wrong-type", message: "expected the name of a host; found another value; write a name" };
  const entry = ownValue(nodes, base);
  if (entry === undefined) {
    const near = nearestName(base, Object.keys(nodes));
    const advice = near === undefined ? "name a host of this file" : `did you mean ${near}?`;
    return { code: "unknown-reference", message: `expected a host to extend; found "${base}"; ${advice}` };
  }
  if (ownValue(entry, "role") !== "host" && ownValue(entry, "extends") === undefined) {
    const message = `expected a host to extend; found ${base}, which is none; write the entry whole`;
    return { code: "bad-value", message };
  }
  const circle = circleFrom(nodes, name);
  if (circle === undefined) return undefined;
  const message = `expected a host to extend; found a circle: ${circle.join(" → ")}; write one of them whole`;
  return { code: "bad-value", message };
}

/** The names from an entry back to itself; undefined where that way does not end there. */
function circleFrom(nodes: Mapping, name: string): readonly string[] | undefined {
  const way = [name];
  for (;;) {
    const next = ownValue(ownValue(nodes, way.at(-1) ?? ""), "extends");
    if (next === name) return [...way, name];
    if (typeof next !== "string" || way.includes(next)) return undefined;
    way.push(next);
  }
}

function merge(inherited: Mapping, own: Mapping): Mapping {
  const hidden = SOURCE_KEYS.some((key) => own[key] !== undefined) ? SOURCE_KEYS : [];
  const kept = Object.fromEntries(Object.entries(inherited).filter(([key]) => !hidden.some((one) => one === key)));
  const merged = MERGED_KEYS.flatMap((key) => {
    const [base, value] = [kept[key], own[key]];
    return isMapping(base) && isMapping(value) ? [[key, { ...base, ...value }]] : [];
  });
  return { ...kept, ...own, ...(Object.fromEntries(merged) as Mapping) };
}
