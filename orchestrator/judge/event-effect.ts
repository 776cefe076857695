/**
 * What a timeline event did to a session: a fold over the lab's events, nothing else. An event accounts for everything
 * until the next one.
 */

import type { DataPacket, LabEvent, NodeEvent, PairView } from "../lab/lab-event.ts";
import type { PathName, ResolvedNode, ResolvedSession } from "../topology/model/resolved.ts";
import { homeAddresses } from "../topology/model/session-end.ts";
import { median } from "./median.ts";

/** One session after one event, seen from the session's `from`. */
export interface EventEffect {
  readonly event: string;
  readonly session: string;
  /** The final path of the data, confirmed by answered data where data was sent. */
  readonly path: PathName;
  /** The last nominated pair. */
  readonly selected?: PairView;
  /** From the event until data was answered on that path. Absent if none was. */
  readonly restoredAfterMs?: number;
  /** Longest time in which no packet was answered; 0 if all were. */
  readonly outageMs: number;
  readonly packetsSent: number;
  readonly packetsLost: number;
  /** Median round trip after the restoration. */
  readonly roundTripMs?: number;
}

/** An event that took effect. */
type Happened = Extract<LabEvent, { type: "timeline" }>;

/** Every session after every event that took effect, in chronological order. */
export function observeEffects(
  sessions: readonly ResolvedSession[],
  nodes: readonly ResolvedNode[],
  events: readonly LabEvent[],
): readonly EventEffect[] {
  const homes = homeAddresses(nodes);
  const happened = events.filter((entry): entry is Happened => entry.type === "timeline");
  return happened.flatMap((event, i) => {
    const window = { from: event.at, to: happened[i + 1]?.at ?? Infinity };
    return sessions.map((session) => observeEffect({ event, session, homes, events, window }));
  });
}

interface Case {
  readonly event: Happened;
  readonly session: ResolvedSession;
  readonly homes: ReadonlyMap<string, string>;
  readonly events: readonly LabEvent[];
  readonly window: { readonly from: number; readonly to: number };
}

function observeEffect({ event, session, homes, events, window }: Case): EventEffect {
  const until = events.filter(({ at }) => at < window.to);
  const near = eventsAbout(session.from, homes.get(session.to), until);
  const far = eventsAbout(session.to, homes.get(session.from), until);
  const packets = packetsOf(session.name, events).filter(({ sentAt }) => sentAt < window.to);
  const own = packets.filter(({ sentAt }) => sentAt >= window.from);
  const settledAt = Math.max(window.from, ...[near, far].flatMap((end) => lastChange(end)?.at ?? []));
  // A packet answered only after the next event may owe its answer to that event.
  const isOwn = ({ sentAt, rttMs }: DataPacket): boolean => sentAt + (rttMs ?? 0) < window.to;
  const onPath = own.filter((packet) => packet.sentAt >= settledAt && isOwn(packet));
  const back = restoration(onPath);
  const believed = lastChange(near)?.event;
  const selected = near.findLast(({ event: { type } }) => type === "nominated")?.event;
  return {
    event: event.name,
    session: session.name,
    path: own.length > 0 && back === undefined ? "none" : (believed?.path ?? "home-agents"),
    ...(selected?.type === "nominated" ? { selected: selected.pair } : {}),
    ...(back === undefined ? {} : { restoredAfterMs: back.sentAt + (back.rttMs ?? 0) - window.from }),
    outageMs: longestSilenceMs(packets, window.from),
    packetsSent: own.length,
    packetsLost: own.filter(({ rttMs }) => rttMs === null).length,
    ...medianRoundTrip(onPath.filter((packet) => back !== undefined && packet.sentAt >= back.sentAt)),
  };
}

/** The first answered packet after the longest run of losses, or the first of all. */
function restoration(packets: readonly DataPacket[]): DataPacket | undefined {
  let longest = { length: 0, end: -1 };
  let start = 0;
  packets.forEach(({ rttMs }, i) => {
    if (rttMs !== null) start = i + 1;
    else if (i + 1 - start > longest.length) longest = { length: i + 1 - start, end: i };
  });
  return packets.slice(longest.end + 1).find(({ rttMs }) => rttMs !== null);
}

/**
 * The longest time between two answered packets with lost ones between them, from the last one answered before `from`.
 */
function longestSilenceMs(packets: readonly DataPacket[], from: number): number {
  const before = packets.findLastIndex(({ sentAt, rttMs }) => sentAt < from && rttMs !== null);
  const seen = packets.slice(Math.max(before, 0));
  let longestMs = 0;
  let lastAnswered = seen[0]?.sentAt;
  let isSilent = false;
  seen.forEach(({ sentAt, rttMs }, i) => {
    isSilent ||= rttMs === null;
    const isEnd = rttMs !== null || i === seen.length - 1;
    if (isEnd && isSilent) longestMs = Math.max(longestMs, sentAt - (lastAnswered ?? sentAt));
    if (rttMs === null) return;
    lastAnswered = sentAt;
    isSilent = false;
  });
  return longestMs;
}

function medianRoundTrip(packets: readonly DataPacket[]): { readonly roundTripMs?: number } {
  const roundTripMs = median(packets.map(({ rttMs }) => rttMs).filter((rtt) => rtt !== null));
  return roundTripMs === undefined ? {} : { roundTripMs };
}

/** The packets of a session's flow in the order of sending. */
function packetsOf(session: string, events: readonly LabEvent[]): readonly DataPacket[] {
  return events
    .flatMap((entry) => (entry.type === "flow" && entry.session === session ? entry.packets : []))
    .toSorted((a, b) => a.sentAt - b.sentAt);
}

/** A report of a node and its time. */
interface Report {
  readonly at: number;
  readonly event: NodeEvent;
}

function eventsAbout(node: string, peer: string | undefined, events: readonly LabEvent[]): readonly Report[] {
  return events.flatMap((entry) =>
    entry.type === "node" && entry.node === node && "peer" in entry.event && entry.event.peer === peer ? [entry] : [],
  );
}

/** The last time that a node's data changed to another path. */
function lastChange(
  reports: readonly Report[],
): { readonly at: number; readonly event: Extract<NodeEvent, { type: "path" }> } | undefined {
  for (const { at, event } of reports.toReversed()) if (event.type === "path") return { at, event };
  return undefined;
}
