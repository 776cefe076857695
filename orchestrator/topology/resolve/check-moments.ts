/** Checks when the events of a timeline happen: what each waits for exists, and comes before it. */

import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { TimelineEventEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { eventName, nodesOf } from "./event-kinds.ts";
import { advice } from "./expect-name.ts";
import { sessionNames } from "./session-name.ts";
import {
  circularEntries,
  entryName,
  inOrder,
  isSurelyBefore,
  MOST_OCCURRENCES,
  namesAfter,
  type Occurrence,
} from "./timeline-order.ts";

export function checkMoments(topology: Topology, report: Report): void {
  for (const { path, entry } of topology.timeline) {
    checkKeys(entry, path, report);
    checkTrigger(topology, entry, path, report);
    if (entry.settled === true && topology.sessions.length === 0)
      report("bad-value", [...path, "settled"], "expected sessions, whose data settles; found none; remove it", "key");
  }
  const circular = circularEntries(topology);
  for (const { path, entry } of circular) {
    const message = `expected an event that happens before ${eventName(entry)}; ${entry.after} comes after it itself; give one of them \`at\` or \`on\` alone`;
    report("bad-value", [...path, "after"], message);
  }
  if (circular.length > 0) return;
  const occurrences = inOrder(topology);
  for (const { path, entry } of topology.timeline) checkAfter(topology, occurrences, { path, entry }, report);
  if (occurrences.length >= MOST_OCCURRENCES)
    report(
      "bad-value",
      ["timeline"],
      `expected fewer than ${MOST_OCCURRENCES} events with all repetitions; found ${MOST_OCCURRENCES} or more; write fewer \`times\``,
      "key",
    );
}

/**
 * Commands of one node follow one another: which of two comes first must not depend on the run, since the second
 * depends on what the first leaves.
 */
export function checkOrder(topology: Topology, report: Report): void {
  const occurrences = inOrder(topology);
  const last = new Map<string, Occurrence>();
  for (const occurrence of occurrences) {
    for (const node of nodesOf(occurrence.entry)) {
      const before = last.get(node);
      last.set(node, occurrence);
      if (before === undefined || isSurelyBefore(occurrences, before, occurrence)) continue;
      const message = `expected a certain order of the events of ${node}; whether ${occurrence.name} or ${before.name} comes first depends on the run; let one come \`after\` the other`;
      report("bad-value", occurrence.path, message);
    }
  }
}

function checkKeys(entry: TimelineEventEntry, path: IssuePath, report: Report): void {
  const { at, after, on, plus, settled, every, times } = entry;
  const unless = (isRight: boolean, key: "plus" | "settled" | "every" | "times", beside: string): void => {
    if (entry[key] === undefined || isRight) return;
    report("missing", [...path, key], `expected ${beside} beside \`${key}\`; found none; add it, or remove \`${key}\``);
  };
  if (at === undefined && after === undefined && on === undefined)
    report("missing", path, "expected `at`, `after` or `on`; found none; say when it happens");
  if (at !== undefined && (after !== undefined || on !== undefined)) {
    const other = after === undefined ? "on" : "after";
    const message = `expected no \`at\` beside \`${other}\`; found both; remove one, or write \`plus\` for \`at\``;
    report("bad-value", [...path, "at"], message, "key");
  }
  unless(after !== undefined || on !== undefined || plus === undefined, "plus", "`after` or `on`");
  unless(after !== undefined || settled === undefined, "settled", "`after`");
  unless(times !== undefined, "every", "`times`");
  unless(every !== undefined, "times", "`every`");
}

function checkAfter(
  topology: Topology,
  occurrences: readonly Occurrence[],
  { path, entry }: Topology["timeline"][number],
  report: Report,
): void {
  const { after, times } = entry;
  if (after === undefined) return;
  const names = namesAfter(occurrences, after);
  if (names.length === 0) {
    if (isTimelineBroken(topology)) return;
    const known = [...new Set(occurrences.flatMap(({ name }) => [entryName(name), name]))];
    const message = `expected an event of the timeline; found "${after}"; ${advice(after, known)}`;
    report("unknown-reference", [...path, "after"], message);
  } else if (names.length > 1 && times !== undefined) {
    const message = `expected \`times\` only after an event that happens once; ${after} happens ${names.length} times, and this follows each; name one of them, such as ${names[0] ?? ""}`;
    report("bad-value", [...path, "times"], message, "key");
  }
}

function isTimelineBroken({ broken }: Topology): boolean {
  return [...broken].some((path) => path.startsWith("timeline"));
}

function checkTrigger(topology: Topology, { on }: TimelineEventEntry, path: IssuePath, report: Report): void {
  if (on === undefined) return;
  const { session, state } = on;
  if (session === undefined || state === undefined) {
    const missing = session === undefined ? "session" : "state";
    report("missing", [...path, "on"], `expected \`session\` and \`state\` in \`on\`; found no \`${missing}\`; add it`);
    return;
  }
  const names = sessionNames(topology);
  if (names.includes(session) || [...topology.broken].some((broken) => broken.startsWith("sessions"))) return;
  const message = `expected a session; found "${session}"; ${advice(session, names)}`;
  report("unknown-reference", [...path, "on", "session"], message);
}
