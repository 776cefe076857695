/** The packets of a run, followed through its captures. */

import type { LabRecord } from "../lab/lab-record.ts";
import { followPackets, type TracedPacket } from "../trace/follow-packets.ts";

/** Undefined where captures lack packets, or there are none. */
export function completeTrace({
  captures,
  events,
}: Pick<LabRecord, "captures" | "events">): readonly TracedPacket[] | undefined {
  const isComplete =
    captures.length > 0 &&
    captures.every(({ droppedByKernel }) => droppedByKernel === 0) &&
    !events.some(({ type }) => type === "captures-cut");
  return isComplete ? followPackets(captures) : undefined;
}
