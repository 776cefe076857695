/**
 * What a timeline event did to a session: a fold over the lab's events, nothing else. An event accounts for the packets
 * that were sent until the next one, whenever they were answered, except those that the next one lost.
 */

import type { DataPath } from "@testbed/agent/control";
import { type HappenedEvent, happenedEvents } from "../lab/happened-events.ts";
import type { DataPacket, LabEvent, NodeEvent, PairView } from "../lab/lab-event.ts";
import { roundTripImpairment } from "../topology/model/path-impairments.ts";
import type { ResolvedSession, ResolvedTopology } from "../topology/model/resolved.ts";
import { homeAddresses } from "../topology/model/session-end.ts";
import { PATH_NAMES } from "../topology/model/words.ts";
import { topologyAfter } from "../topology/resolve/timeline.ts";
import { median } from "./median.ts";

/** `undetermined`: too few packets were sent before the next event to tell. */
export const EFFECT_PATHS = [...PATH_NAMES, "undetermined"] as const;

export type EffectPath = (typeof EFFECT_PATHS)[number];

/** One session after one event, seen from the session's `from`. */
export interface EventEffect {
  readonly event: string;
  readonly session: string;
  /** The final path of the data, confirmed by answered data where data was sent. */
  readonly path: EffectPath;
  /** The last nominated pair, if the data was on it. */
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

/** Fewer packets than these say nothing about a path: a tenth of a second at the rate of the lab's flows. */
const TELLING_PACKETS = 5;
/** So many answers show how long one takes, also with jitter. */
const LATEST_ANSWERS = 10;
/** An event is timed from its beginning; within this time it takes hold. */
const TAKES_HOLD_MS = 100;

/** The time until an event, or from one until the next; milliseconds since 1970. */
interface Window {
  readonly from: number;
  readonly to: number;
  /** How much longer than before it the links can make a round trip, milliseconds. */
  readonly addedMs: number;
}

/** Every session after every event that took effect, in the order of the timeline. */
export function observeEffects(topology: ResolvedTopology, events: readonly LabEvent[]): readonly EventEffect[] {
  const { nodes, sessions, timeline } = topology;
  const homes = homeAddresses(nodes);
  const place = ({ name }: HappenedEvent): number => timeline.findIndex((event) => event.name === name);
  // Events of one instant are reported in any order.
  const happened = happenedEvents(events).toSorted((a, b) => place(a) - place(b));
  const after = happened.map(({ name }) => topologyAfter(topology, name));
  const windows = windowsOf([topology, ...after], happened);
  const bySession = sessions.map((session) => {
    const data = attribute(packetsOf(session.name, events), windows);
    return happened.flatMap((event, i) => {
      const own = data[i + 1];
      if (own === undefined) return [];
      const sender = after[i]?.nodes.find(({ name }) => name === session.from);
      const isSilent = sender?.halt === "paused" && own.held.length < TELLING_PACKETS;
      // What was on its way out when the sender stopped shows nothing.
      const telling = isSilent ? [] : own.telling;
      return [observeEffect({ event, session, homes, events, isSilent, data: { ...own, telling } })];
    });
  });
  return happened.flatMap((_, i) => bySession.flatMap((effects) => effects[i] ?? []));
}

/** The time before the first event, and the time of each; `times` has the topology then. */
function windowsOf(times: readonly ResolvedTopology[], happened: readonly HappenedEvent[]): readonly Window[] {
  const begins = happened.map((_, i) => Math.max(...happened.slice(0, i + 1).map(({ at }) => at)));
  const delaysMs = times.map(({ nodes }) => roundTripImpairment(nodes).addedMs);
  return delaysMs.map((delayMs, i) => ({
    from: begins[i - 1] ?? -Infinity,
    to: begins[i] ?? Infinity,
    // On any path, data crosses each link at most twice in either direction.
    addedMs: 2 * Math.max(0, delayMs - (delaysMs[i - 1] ?? delayMs)),
  }));
}

/** The data that an event accounts for. */
interface OwnData {
  readonly window: Window;
  /** Sent in its time. */
  readonly held: readonly DataPacket[];
  /** Of those, the ones that show its path: the next event had no part in their fate. */
  readonly telling: readonly DataPacket[];
  /** Sent in its time or lost by it, without those that the next event lost. */
  readonly counted: readonly DataPacket[];
  /** Longest silence in its time; one that there was already counts from the event. */
  readonly outageMs: number;
}

/**
 * Divides a flow among windows. A packet may still be on its way when the next event happens. If data was flowing until
 * then, its loss is due to that event. If data was not, its answer is.
 */
function attribute(packets: readonly DataPacket[], windows: readonly Window[]): readonly OwnData[] {
  let lostBefore: readonly DataPacket[] = [];
  let wasFlowing = true;
  return windows.map((window): OwnData => {
    const { from, to } = window;
    const sent = packets.filter(({ sentAt }) => sentAt < to);
    const held = sent.filter(({ sentAt }) => sentAt >= from);
    const roundTripMs = longestRoundTripMs(sent, to) + window.addedMs;
    const isOnItsWay = ({ sentAt, rttMs }: DataPacket): boolean => sentAt + (rttMs ?? roundTripMs) > to;
    const isFlowing = sent
      .filter((packet) => !isOnItsWay(packet))
      .slice(-TELLING_PACKETS)
      .some(isAnswered);
    const lostByNext = isFlowing ? held.filter((packet) => isOnItsWay(packet) && !isAnswered(packet)) : [];
    const counted = [...lostBefore, ...held.filter((packet) => !lostByNext.includes(packet))];
    const own: OwnData = {
      window,
      held,
      telling: held.filter((packet) => !isOnItsWay(packet) || (isFlowing && isAnswered(packet))),
      counted,
      outageMs: longestSilenceMs(wasFlowing ? lastAnsweredAt(sent, from) : from, counted),
    };
    lostBefore = lostByNext;
    wasFlowing = isFlowing;
    return own;
  });
}

/** How long an answer takes at a time, by the latest that had come; 0 without any. */
function longestRoundTripMs(packets: readonly DataPacket[], at: number): number {
  const answers = packets.flatMap(({ sentAt, rttMs }) => (rttMs !== null && sentAt + rttMs <= at ? [rttMs] : []));
  return Math.max(0, ...answers.slice(-LATEST_ANSWERS));
}

interface Case {
  readonly event: HappenedEvent;
  readonly session: ResolvedSession;
  readonly homes: ReadonlyMap<string, string>;
  readonly events: readonly LabEvent[];
  /** Nothing is sent, and that is how it is meant. */
  readonly isSilent: boolean;
  readonly data: OwnData;
}

function observeEffect({ event, session, homes, events, isSilent, data }: Case): EventEffect {
  const { window, held, telling, counted, outageMs } = data;
  const until = events.filter(({ at }) => at < window.to);
  const near = eventsAbout(session.from, homes.get(session.to), until);
  const far = eventsAbout(session.to, homes.get(session.from), until);
  const settledAt = Math.max(window.from, ...[near, far].flatMap((end) => lastChange(end)?.at ?? []));
  const onPath = telling.filter(({ sentAt }) => sentAt >= settledAt);
  const back = restoration(onPath);
  const believed = lastChange(near)?.path ?? "home-agents";
  const isLong = window.to === Infinity || held.length >= TELLING_PACKETS;
  const isJudged = back === undefined ? isSilent || onPath.length >= TELLING_PACKETS : isLong;
  const proven = back === undefined ? "none" : believed;
  const path = session.traffic === "none" ? believed : isJudged ? proven : "undetermined";
  const selected = near.findLast(({ event: { type } }) => type === "nominated")?.event;
  return {
    event: event.name,
    session: session.name,
    path,
    ...(selected?.type === "nominated" && isOn(path, selected.pair) ? { selected: selected.pair } : {}),
    ...(back === undefined ? {} : { restoredAfterMs: back.sentAt + (back.rttMs ?? 0) - window.from }),
    outageMs,
    packetsSent: counted.length,
    packetsLost: counted.filter((packet) => !isAnswered(packet)).length,
    ...medianRoundTrip(onPath.filter((packet) => back !== undefined && packet.sentAt >= back.sentAt)),
  };
}

/** Whether data on a path goes over a pair. */
function isOn(path: EffectPath, { local, remote }: PairView): boolean {
  const isRelayed = local.type === "relayed" || remote.type === "relayed";
  return path === (isRelayed ? "home-agents" : "direct");
}

/** The first answered packet after the losses with which the path began, or the first of all. */
function restoration(packets: readonly DataPacket[]): DataPacket | undefined {
  const takenHoldAt = (packets[0]?.sentAt ?? 0) + TAKES_HOLD_MS;
  const lost = packets.findLastIndex((packet) => packet.sentAt < takenHoldAt && !isAnswered(packet));
  return packets.slice(lost + 1).find(isAnswered);
}

/** When the last packet before an instant was sent that was answered. */
function lastAnsweredAt(packets: readonly DataPacket[], before: number): number | undefined {
  return packets.findLast((packet) => packet.sentAt < before && isAnswered(packet))?.sentAt;
}

/** The longest time between two answered packets with lost ones between them; `since` is that of one before the first. */
function longestSilenceMs(since: number | undefined, packets: readonly DataPacket[]): number {
  let longestMs = 0;
  let lastAnswered = since ?? packets[0]?.sentAt;
  let isSilent = false;
  packets.forEach((packet, i) => {
    const { sentAt } = packet;
    isSilent ||= !isAnswered(packet);
    const isEnd = isAnswered(packet) || i === packets.length - 1;
    if (isEnd && isSilent) longestMs = Math.max(longestMs, sentAt - (lastAnswered ?? sentAt));
    if (!isAnswered(packet)) return;
    lastAnswered = sentAt;
    isSilent = false;
  });
  return longestMs;
}

function isAnswered({ rttMs }: DataPacket): boolean {
  return rttMs !== null;
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
    entry.type === "node" && entry.node === node && isAbout(entry.event, peer) ? [entry] : [],
  );
}

/** The end of a program is the end of all its sessions. */
function isAbout(event: NodeEvent, peer: string | undefined): boolean {
  return event.type === "program-ended" || ("peer" in event && event.peer === peer);
}

/** The last time that a node's data changed to another path. A program begins on the home agents' one. */
function lastChange(reports: readonly Report[]): { readonly at: number; readonly path: DataPath } | undefined {
  for (const { at, event } of reports.toReversed()) {
    if (event.type === "path") return { at, path: event.path };
    if (event.type === "program-ended") return { at, path: "home-agents" };
  }
  return undefined;
}
