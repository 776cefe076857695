/** Searches a growing list of events for a match; each event is examined once, however often the matcher is called. */

import type { LabEvent, NodeEvent } from "./lab-event.ts";

/** Called with all events so far; the list only grows. */
export type EventMatcher = (events: readonly LabEvent[]) => boolean;

/** Matches an event reported by a node. */
export function createEventMatcher(isIt: (node: string, event: NodeEvent) => boolean): EventMatcher {
  return createMatcher((entry) => entry.type === "node" && isIt(entry.node, entry.event));
}

/** Matches any event. With fifty sessions waiting at once, examining all events on every call would take seconds. */
export function createMatcher(isIt: (entry: LabEvent) => boolean): EventMatcher {
  let lookedAt = 0;
  let isSeen = false;
  return (events) => {
    for (; !isSeen && lookedAt < events.length; lookedAt += 1) {
      const entry = events[lookedAt];
      isSeen = entry !== undefined && isIt(entry);
    }
    return isSeen;
  };
}

export function every(matchers: readonly EventMatcher[]): EventMatcher {
  return (events) => matchers.every((isSeen) => isSeen(events));
}

export function any(matchers: readonly EventMatcher[]): EventMatcher {
  return (events) => matchers.some((isSeen) => isSeen(events));
}
