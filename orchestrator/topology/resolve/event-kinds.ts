/** The kinds of timeline events, by the key that decides them. */

import type { TimelineEventEntry } from "../file/schema.ts";

/** The keys that decide the kind of event, each with those that may accompany it. */
const KINDS = {
  move: ["to"],
  deregister: [],
  reboot: ["down", "ports"],
  forget: [],
  readdress: ["addresses", "overlap"],
  change: ["nat", "firewall"],
  pause: [],
  resume: [],
  kill: [],
  restart: [],
  link: ["conditions"],
} as const satisfies Readonly<Record<string, readonly (keyof TimelineEventEntry)[]>>;

export type EventKind = keyof typeof KINDS;

export const KIND_NAMES = Object.keys(KINDS) as readonly EventKind[];

/** Each kind with the keys that may accompany it alone. */
export const COMPANIONS: readonly (readonly [EventKind, readonly (keyof TimelineEventEntry)[]])[] = KIND_NAMES.map(
  (kind) => [kind, KINDS[kind]],
);

/** The kind of an event; undefined if it has none, or more than one. */
export function kindOf(entry: TimelineEventEntry): EventKind | undefined {
  const kinds = KIND_NAMES.filter((kind) => entry[kind] !== undefined);
  return kinds.length === 1 ? kinds[0] : undefined;
}

/** An event's name in the file. */
export function eventName(entry: TimelineEventEntry): string {
  return entry.name ?? kindOf(entry) ?? "";
}

/** The nodes that an event is about. */
export function nodesOf(entry: TimelineEventEntry): readonly string[] {
  const kind = kindOf(entry);
  const named = kind === undefined ? undefined : entry[kind];
  return named === undefined ? [] : listed(named).map((name) => name.split("/")[0] ?? name);
}

/** A key that may hold one name or several. */
export function listed(names: string | readonly string[]): readonly string[] {
  return typeof names === "string" ? [names] : names;
}
