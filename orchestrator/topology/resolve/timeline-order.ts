/**
 * When the events of a timeline happen, and in which order: repetitions become events of their own, each with a name.
 * What waits for something that only a run shows has an assumed time until then.
 */

import type { IssuePath } from "../file/issue.ts";
import type { TimelineEventEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { durationMs } from "../model/duration.ts";
import type { EventMoment, EventTrigger } from "../model/resolved.ts";
import { eventName } from "./event-kinds.ts";

/** One time that an entry of the timeline happens. */
export interface Occurrence {
  /** Of the entry, in the file. */
  readonly path: IssuePath;
  readonly entry: TimelineEventEntry;
  /** Unique: `flap#2` for the second time of a repeated event. */
  readonly name: string;
  readonly when: EventMoment;
  /** Since the beginning of the timeline; assumed where only a run shows it. */
  readonly atMs: number;
}

/** Events of a timeline at most, repetitions included. */
export const MOST_OCCURRENCES = 1000;

/** Until something that only a run shows is assumed to be there: longer than ends need to notice a silent pair. */
const ASSUMED_WAIT_MS = 20_000;

/** Separates the name of a repeated event from its number. */
const NUMBER_MARK = "#";

/** The name that an event's entry has: `flap` of `flap#2`. */
export function entryName(name: string): string {
  return name.split(NUMBER_MARK)[0] ?? name;
}

/**
 * All events in order of time. Of entries whose moment is wrong, which `checkMoments` reports, the beginning of the
 * timeline is assumed.
 */
export function inOrder(topology: Topology): readonly Occurrence[] {
  return placed(topology)
    .toSorted((a, b) => a.occurrence.atMs - b.occurrence.atMs || a.depth - b.depth)
    .map(({ occurrence }) => occurrence)
    .slice(0, MOST_OCCURRENCES);
}

/** The names that an `after` stands for: those of every time that a repeated event happens. */
export function namesAfter(occurrences: readonly Occurrence[], after: string): readonly string[] {
  const names = occurrences.map(({ name }) => name);
  return names.includes(after) ? [after] : names.filter((name) => entryName(name) === after);
}

/** Entries that come after themselves. */
export function circularEntries({ timeline }: Topology): readonly Topology["timeline"][number][] {
  const byName = new Map(timeline.map(({ entry }) => [eventName(entry), entry]));
  return timeline.filter(({ entry }) => {
    const seen = new Set<TimelineEventEntry>();
    let before: TimelineEventEntry | undefined = entry;
    while (before?.after !== undefined && !seen.has(before)) {
      seen.add(before);
      before = byName.get(entryName(before.after));
      if (before === entry) return true;
    }
    return false;
  });
}

/** Whether `first` happens before `second`, or at the same moment, however long what they wait for takes. */
export function isSurelyBefore(occurrences: readonly Occurrence[], first: Occurrence, second: Occurrence): boolean {
  const { anchor, offsetMs } = positionOf(occurrences, first);
  for (let at: Occurrence | undefined = second; at !== undefined; at = previousOf(occurrences, at)) {
    const position = positionOf(occurrences, at);
    if (at === first || (position.anchor === anchor && position.offsetMs >= offsetMs)) return true;
  }
  return false;
}

/** The time of an event since something whose own time may be unknown: the timeline's beginning when undefined. */
function positionOf(
  occurrences: readonly Occurrence[],
  occurrence: Occurrence,
): { readonly anchor: string | undefined; readonly offsetMs: number } {
  const { name, when } = occurrence;
  if (when.on !== undefined) return { anchor: `${name} is seen`, offsetMs: when.plusMs };
  if (when.after?.isSettled === true) return { anchor: `${when.after.event} is settled`, offsetMs: when.plusMs };
  const before = previousOf(occurrences, occurrence);
  if (before === undefined) return { anchor: undefined, offsetMs: when.plusMs };
  const { anchor, offsetMs } = positionOf(occurrences, before);
  return { anchor, offsetMs: offsetMs + lastsMs(before.entry) + when.plusMs };
}

function previousOf(occurrences: readonly Occurrence[], { when }: Occurrence): Occurrence | undefined {
  return occurrences.find(({ name }) => name === when.after?.event);
}

/** How long an event is under way. */
function lastsMs({ down, overlap }: TimelineEventEntry): number {
  return Math.round(durationMs(down ?? overlap ?? "0ms"));
}

/** With the number of events that it follows. */
interface Placed {
  readonly occurrence: Occurrence;
  readonly depth: number;
}

function placed({ timeline }: Topology): readonly Placed[] {
  const known = new Map<string, readonly Placed[]>();
  const place = (given: Topology["timeline"][number], followers: readonly string[]): readonly Placed[] => {
    const name = eventName(given.entry);
    const found = known.get(name);
    if (found !== undefined) return found;
    const own = repeated(given, followed(given, [...followers, name]));
    known.set(name, own);
    return own;
  };
  /** What an entry happens after; one undefined for the beginning of the timeline. */
  const followed = ({ entry }: Topology["timeline"][number], followers: readonly string[]) => {
    const { after } = entry;
    const before = timeline.find((other) => eventName(other.entry) === entryName(after ?? ""));
    if (after === undefined || before === undefined || followers.includes(eventName(before.entry))) return [undefined];
    const all = place(before, followers);
    const one = all.filter(({ occurrence }) => occurrence.name === after);
    return one.length > 0 ? one : all;
  };
  // Entries of one name, which are reported elsewhere, are placed once.
  return [...new Set(timeline.flatMap((given) => place(given, [])))];
}

/** An entry happens once after each of these, or again and again after one. */
function repeated(
  { entry, path }: Topology["timeline"][number],
  after: readonly (Placed | undefined)[],
): readonly Placed[] {
  const { every, times = 1 } = entry;
  const everyMs = every === undefined ? 0 : durationMs(every);
  const total = after.length * times;
  const numbered = (n: number): string => eventName(entry) + (total === 1 ? "" : `${NUMBER_MARK}${n}`);
  const isSettled = entry.settled === true;
  const on = triggerOf(entry);
  const firstMs = durationMs(entry.at ?? entry.plus ?? "0ms");
  return after.flatMap((before, i) =>
    Array.from({ length: Math.min(times, MOST_OCCURRENCES) }, (_, k): Placed => {
      const name = numbered(i * times + k + 1);
      const waits = (isSettled ? 1 : 0) + (on === undefined ? 0 : 1);
      const baseMs = before === undefined ? 0 : before.occurrence.atMs + lastsMs(before.occurrence.entry);
      const atMs = baseMs + waits * ASSUMED_WAIT_MS + firstMs + k * everyMs;
      // What is seen once is not waited for again.
      const isAgain = on !== undefined && k > 0;
      const when: EventMoment = isAgain
        ? { after: { event: numbered(i * times + 1), isSettled: false }, plusMs: k * everyMs }
        : {
            ...(before === undefined ? {} : { after: { event: before.occurrence.name, isSettled } }),
            ...(on === undefined ? {} : { on }),
            plusMs: firstMs + k * everyMs,
          };
      return { occurrence: { path, entry, name, when, atMs }, depth: (before?.depth ?? 0) + 1 + (isAgain ? 1 : 0) };
    }),
  );
}

/** Undefined also for what is reported as incomplete. */
function triggerOf({ on }: TimelineEventEntry): EventTrigger | undefined {
  if (on === undefined) return undefined;
  const { session, state } = on;
  return session === undefined || state === undefined ? undefined : { type: "state", session, state };
}
