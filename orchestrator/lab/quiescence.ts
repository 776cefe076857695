/** Whether a session is quiescent after a timeline event: nothing is in progress, and data is answered. */

import { formatEndpoint } from "../topology/model/address-text.ts";
import type { DataPacket, LabEvent, NodeEvent, PairView } from "./lab-event.ts";

/** The two ends of a session: the node's name, and the home address of its peer. */
export type SessionEnds = readonly { readonly node: string; readonly peer: string }[];

/** Consecutive packets that must have the same outcome: a fifth of a second at the rate of the lab's flows. */
const IN_A_ROW = 10;

/** When the last procedure that began at `from` or later ended at either end; undefined while one is in progress. */
export function quiescentSince(events: readonly LabEvent[], ends: SessionEnds, from: number): number | undefined {
  const tracks = ends.flatMap(({ node, peer }) => {
    const own = events.flatMap((entry) => (entry.type === "node" && entry.node === node ? [entry] : []));
    const later = own.filter(({ at }) => at >= from);
    const path = own.map(({ event }) => event).findLast((event) => event.type === "path" && event.peer === peer);
    const isInUse = (pair: PairView): boolean =>
      path?.type === "path" && path.path === "direct" && isSame(path.pair, pair);
    return [lastStep(later, registrationStep), lastStep(later, (event) => sessionStep(event, peer, isInUse))];
  });
  if (tracks.some((last) => last?.step === "begins")) return undefined;
  return Math.max(from, ...tracks.flatMap((last) => (last === undefined ? [] : [last.at])));
}

/** True when both ends last reported the direct path. */
export function isDirect(events: readonly LabEvent[], ends: SessionEnds): boolean {
  return ends.every(({ node, peer }) => {
    const last = events.findLast(
      (entry) =>
        entry.type === "node" &&
        entry.node === node &&
        (entry.event.type === "program-ended" || (entry.event.type === "path" && entry.event.peer === peer)),
    );
    return last?.type === "node" && last.event.type === "path" && last.event.path === "direct";
  });
}

/** True when the last packets of a flow, of those sent at `from` or later, were all answered. */
export function isDataBack(packets: readonly DataPacket[], from: number): boolean {
  const last = lastPackets(packets, from);
  return last.length === IN_A_ROW && last.every(({ rttMs }) => rttMs !== null);
}

/** True when the last packets of a flow, of those sent at `from` or later, were all lost. */
export function isDataGone(packets: readonly DataPacket[], from: number): boolean {
  const last = lastPackets(packets, from);
  return last.length === IN_A_ROW && last.every(({ rttMs }) => rttMs === null);
}

function lastPackets(packets: readonly DataPacket[], from: number): readonly DataPacket[] {
  return packets
    .filter(({ sentAt }) => sentAt >= from)
    .toSorted((a, b) => a.sentAt - b.sentAt)
    .slice(-IN_A_ROW);
}

function isSame(one: PairView | undefined, other: PairView): boolean {
  const ends = (pair: PairView): string =>
    [pair.local, pair.remote].map(({ address }) => formatEndpoint(address)).join();
  return one !== undefined && ends(one) === ends(other);
}

/** Whether an event begins or ends a procedure. */
type Step = "begins" | "ends" | undefined;

function lastStep(
  reports: readonly { readonly at: number; readonly event: NodeEvent }[],
  stepOf: (event: NodeEvent) => Step,
): { readonly at: number; readonly step: Step } | undefined {
  return reports.map(({ at, event }) => ({ at, step: stepOf(event) })).findLast(({ step }) => step !== undefined);
}

function registrationStep({ type }: NodeEvent): Step {
  if (type === "registration-sent") return "begins";
  return ["registered", "registration-failed", "deregistered"].includes(type) ? "ends" : undefined;
}

/** From the loss of a path, or the first step towards a new one, until data is sent again. */
function sessionStep(event: NodeEvent, peer: string, isInUse: (pair: PairView) => boolean): Step {
  if (!("peer" in event) || event.peer !== peer) return undefined;
  switch (event.type) {
    case "pair-silent":
    case "pair-dead":
    case "candidate":
    case "offer-sent":
    case "offer-received":
      return "begins";
    case "path":
      return event.path === "direct" ? "ends" : "begins";
    case "nominated":
      if (event.pair.local.type === "relayed" && event.pair.remote.type === "relayed") return "ends";
      // A node whose data stays on its pair reports no other path.
      return isInUse(event.pair) ? "ends" : undefined;
    case "session-failed":
      return "ends";
    default:
      return undefined;
  }
}
