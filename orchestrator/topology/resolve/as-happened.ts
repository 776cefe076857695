/** A topology whose timeline is as it happened, where a run alone shows when. */

import type { ResolvedEvent, ResolvedTopology } from "../model/resolved.ts";

/**
 * The topology with those of its events that happened, in the order and at the times of happening (milliseconds since
 * 1970). A timeline whose times are known beforehand stays as it is.
 */
export function asHappened(
  topology: ResolvedTopology,
  happened: readonly { readonly name: string; readonly at: number }[],
): ResolvedTopology {
  const { timeline } = topology;
  if (timeline.every((event) => isTimeKnown(timeline, event))) return topology;
  let latestKnown = -Infinity;
  const timed = timeline.flatMap((event): ResolvedEvent[] => {
    const at = happened.find(({ name }) => name === event.name)?.at;
    if (at === undefined) return [];
    if (!isTimeKnown(timeline, event)) return [{ ...event, atMs: at }];
    // Events of one instant are carried out in any order.
    latestKnown = Math.max(latestKnown, at);
    return [{ ...event, atMs: latestKnown }];
  });
  return { ...topology, timeline: timed.toSorted((a, b) => a.atMs - b.atMs) };
}

function isTimeKnown(timeline: readonly ResolvedEvent[], { when: { after, on } }: ResolvedEvent): boolean {
  if (on !== undefined || after?.isSettled === true) return false;
  const before = timeline.find(({ name }) => name === after?.event);
  return before === undefined || isTimeKnown(timeline, before);
}
