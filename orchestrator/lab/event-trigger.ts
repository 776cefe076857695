/** Whether what an event of the timeline waits for is there. */

import type { EventTrigger } from "../topology/model/resolved.ts";
import type { LabEvent, NodeEvent } from "./lab-event.ts";
import { isDirect, type SessionEnds } from "./quiescence.ts";

/**
 * Whether a session, with these ends, has come to a state. With `since`, milliseconds since 1970, only what its ends
 * have reported from then on counts.
 */
export function isTriggered(
  events: readonly LabEvent[],
  { state }: EventTrigger,
  ends: SessionEnds,
  since = -Infinity,
): boolean {
  const reportedBy = ({ node, peer }: SessionEnds[number]): readonly NodeEvent[] =>
    events.flatMap((entry) =>
      entry.type === "node" && entry.node === node && entry.at >= since && isAbout(entry.event, peer)
        ? [entry.event]
        : [],
    );
  const reports = ends.map(reportedBy);
  const isPathNew = since === -Infinity || reports.some((own) => own.some(({ type }) => type === "path"));
  switch (state) {
    case "direct":
      return isPathNew && isDirect(events, ends);
    case "home-agents":
      return isPathNew && !isDirect(events, ends);
    case "nominated":
      return reports.every((own) => own.some(({ type }) => type === "nominated"));
    case "failed":
      return reports.some((own) => own.some(({ type }) => type === "session-failed"));
  }
}

function isAbout(event: NodeEvent, peer: string): boolean {
  return "peer" in event && event.peer === peer;
}
