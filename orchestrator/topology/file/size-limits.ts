/**
 * How much a topology file may hold. A lab of this size would take hours to make; checking a larger file would take
 * longer than its writer waits.
 */

import type { IssuePath } from "./issue.ts";
import type { ShapeIssue } from "./shape-issue.ts";

/** Octets of a topology file. */
export const MOST_FILE_OCTETS = 1_000_000;

type Limits = Readonly<Record<string, number>>;

/** Entries of the file's blocks. */
const FILE_LIMITS: Limits = {
  segments: 250,
  nodes: 500,
  links: 1000,
  sessions: 250,
  flows: 250,
  timeline: 250,
  expect: 1000,
};

/** Entries of a node's keys. */
const NODE_LIMITS: Limits = {
  on: 64,
  lan: 64,
  addresses: 64,
  forwards: 1000,
  command: 1000,
  environment: 1000,
  files: 100,
  writable: 64,
  sysctls: 64,
};

/** Entries of a firewall's keys. */
const FIREWALL_LIMITS: Limits = { pinholes: 100, outboundUdp: 1000 };

/** A problem for each list and mapping of a file that has too many entries; `data` may be of any shape. */
export function tooMany(data: unknown): readonly ShapeIssue[] {
  const nodes = Object.entries(blockOf(data, "nodes"));
  return [
    ...excessOf(data, [], FILE_LIMITS),
    ...nodes.flatMap(([name, node]) => [
      ...excessOf(node, ["nodes", name], NODE_LIMITS),
      ...excessOf(blockOf(node, "firewall"), ["nodes", name, "firewall"], FIREWALL_LIMITS),
    ]),
  ];
}

function excessOf(data: unknown, path: IssuePath, limits: Limits): readonly ShapeIssue[] {
  return Object.entries(limits).flatMap(([key, most]): ShapeIssue[] => {
    const count = Object.keys(blockOf(data, key)).length;
    if (count <= most) return [];
    const message = `expected at most ${most} entries; found ${count}; a topology holds no more`;
    return [{ code: "bad-value", path: [...path, key], at: "key", message }];
  });
}

/** The list or mapping under a key; an empty one where there is none. */
function blockOf(data: unknown, key: string): object {
  if (typeof data !== "object" || data === null || !Object.hasOwn(data, key)) return {};
  const block = (data as Readonly<Record<string, unknown>>)[key];
  return typeof block === "object" && block !== null ? block : {};
}
