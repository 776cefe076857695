/** Whether something has been seen: each event is looked at once, however often the question is asked. */

import type { LabEvent, NodeEvent } from "./lab-event.ts";

/** Asked with everything so far, which only ever grows. */
export type EventMatcher = (events: readonly LabEvent[]) => boolean;

/** Looks for an event that a node reported. With fifty sessions that wait at once, looking at all of them each time would take seconds. */
export function createEventMatcher(isIt: (node: string, event: NodeEvent) => boolean): EventMatcher {
  let lookedAt = 0;
  let isSeen = false;
  return (events) => {
    for (; !isSeen && lookedAt < events.length; lookedAt += 1) {
      const entry = events[lookedAt];
      isSeen = entry?.type === "node" && isIt(entry.node, entry.event);
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
