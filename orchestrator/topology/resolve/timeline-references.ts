/**
 * Checks that each event of a timeline is of one kind, has a unique name, and refers to nodes and segments that exist.
 */

import { MOBILE_ROLES } from "@testbed/agent/control";
import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { TimelineEventEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { durationMs } from "../model/duration.ts";
import { expectNode, expectSegment } from "./expect-name.ts";

/** The keys that decide the kind of event, each with those that may accompany it. */
const KINDS = {
  move: ["to"],
  deregister: [],
  reboot: ["down", "ports"],
  link: ["conditions"],
} as const satisfies Readonly<Record<string, readonly (keyof TimelineEventEntry)[]>>;

type Kind = keyof typeof KINDS;

const KIND_NAMES = Object.keys(KINDS) as readonly Kind[];

/** The kind of an event; undefined if it has none, or more than one. */
function kindOf(entry: TimelineEventEntry): Kind | undefined {
  const kinds = KIND_NAMES.filter((kind) => entry[kind] !== undefined);
  return kinds.length === 1 ? kinds[0] : undefined;
}

/** An event's name in expectations and reports. */
export function eventName(entry: TimelineEventEntry): string {
  return entry.name ?? kindOf(entry) ?? "";
}

export function checkTimeline(topology: Topology, report: Report): void {
  const seen = new Set<string>();
  const places = new Map<string, string>();
  for (const { path, entry } of inOrder(topology)) {
    const kind = kindOf(entry);
    if (kind === undefined) {
      reportKind(entry, path, report);
      continue;
    }
    const name = eventName(entry);
    if (seen.has(name))
      report("duplicate", path, `expected a name of its own for each event; found ${name} again; add \`name\``);
    seen.add(name);
    checkCompanions(entry, kind, path, report);
    checkTarget(topology, entry, path, report);
    if (entry.move !== undefined) checkDestination(topology, places, { entry, path }, report);
  }
}

/** The moves of mobile nodes, in order of time. */
export function movesOf(topology: Topology): readonly Move[] {
  return inOrder(topology).flatMap(({ path, entry: { move, to } }) => {
    if (move === undefined || to === undefined || !isMobile(topology, move) || !topology.segments.has(to)) return [];
    return [{ node: move, to, path: [...path, "to"] }];
  });
}

/** A move of a mobile node to a segment that exists. */
export interface Move {
  readonly node: string;
  readonly to: string;
  /** Its path in the file. */
  readonly path: IssuePath;
}

function isMobile({ nodes }: Topology, name: string): boolean {
  const role = nodes.get(name)?.role;
  return role === "mobile-node" || role === "correspondent-node";
}

function inOrder({ timeline }: Topology): Topology["timeline"] {
  return timeline.toSorted((a, b) => durationMs(a.entry.at) - durationMs(b.entry.at));
}

/** `places` has the segments that nodes have moved to so far. */
function checkDestination(
  topology: Topology,
  places: Map<string, string>,
  { entry: { move = "", to }, path }: Topology["timeline"][number],
  report: Report,
): void {
  if (to === undefined) {
    report(
      "missing",
      [...path, "to"],
      "expected `to` beside `move`; found none; name the segment that it moves to",
      "key",
    );
    return;
  }
  if (!expectSegment(topology, to, [...path, "to"], report)) return;
  const node = topology.nodes.get(move);
  const place = places.get(move) ?? (node !== undefined && "on" in node ? node.on : undefined);
  if (place === to) report("bad-value", [...path, "to"], `expected another segment; ${move} is on ${to} already`);
  places.set(move, to);
}

function reportKind(entry: TimelineEventEntry, path: IssuePath, report: Report): void {
  const found = KIND_NAMES.filter((kind) => entry[kind] !== undefined);
  const expected = `expected one of ${KIND_NAMES.join(", ")}`;
  if (found.length === 0) report("missing", path, `${expected}; found none; say what happens`);
  else report("bad-value", path, `${expected}; found ${found.join(" and ")}; make two events of it`);
}

/** Keys that belong to another kind of event. */
function checkCompanions(entry: TimelineEventEntry, kind: Kind, path: IssuePath, report: Report): void {
  for (const [owner, companions] of Object.entries(KINDS)) {
    for (const key of companions) {
      if (owner === kind || entry[key] === undefined) continue;
      const message = `expected \`${key}\` only beside \`${owner}\`; found it beside \`${kind}\`; remove it`;
      report("bad-value", [...path, key], message, "key");
    }
  }
}

function checkTarget(topology: Topology, entry: TimelineEventEntry, path: IssuePath, report: Report): void {
  if (entry.move !== undefined) expectNode(topology, entry.move, MOBILE_ROLES, [...path, "move"], report);
  if (entry.deregister !== undefined)
    expectNode(topology, entry.deregister, MOBILE_ROLES, [...path, "deregister"], report);
  if (entry.reboot !== undefined) expectNode(topology, entry.reboot, ["router"], [...path, "reboot"], report);
}
