/** The timeline events that took effect in a run. */

import type { LabEvent } from "./lab-event.ts";

export type HappenedEvent = Extract<LabEvent, { type: "timeline" }>;

export function happenedEvents(events: readonly LabEvent[]): readonly HappenedEvent[] {
  return events.filter((entry): entry is HappenedEvent => entry.type === "timeline");
}
