/** What captures show of a flow between two hosts: its path, its figures, and what became of it with each event. */

import { happenedEvents } from "../lab/happened-events.ts";
import type { LabEvent } from "../lab/lab-event.ts";
import type { FlowPath, ResolvedFlow, ResolvedTopology } from "../topology/model/resolved.ts";
import { FLOW_PATHS } from "../topology/model/words.ts";
import type { FiveTuple } from "../trace/five-tuple.ts";
import { lastSighting, type TracedPacket } from "../trace/follow-packets.ts";
import { commonPartners, type FlowDirection, type FlowPacket, flowDirections } from "./flow-packets.ts";
import { median } from "./median.ts";
import { countReordered } from "./reordered.ts";

/** `undetermined`: the captures are not complete, or too little was sent before the next event. */
export const FLOW_EFFECT_PATHS = [...FLOW_PATHS, "undetermined"] as const;

export type FlowEffectPath = (typeof FLOW_EFFECT_PATHS)[number];

/** The packets of one direction. */
export interface DirectionFigures {
  readonly from: string;
  readonly to: string;
  readonly packets: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Of the payloads that arrived. */
  readonly octets: number;
  /** The ways that packets took, in the order of their first ones. */
  readonly ways: readonly Way[];
}

/** A way of packets: where they were seen, with which addresses. */
export interface Way {
  readonly packets: number;
  /** Of its first packet, milliseconds since 1970. */
  readonly since: number;
  readonly relays: readonly string[];
  readonly segments: readonly { readonly segment: string; readonly tuple: FiveTuple }[];
}

/** A flow in a part of the run. */
export interface FlowFigures {
  readonly path: FlowEffectPath;
  /** Who relays it; several where that changed. */
  readonly relays: readonly string[];
  /** From the beginning until data had arrived on this path in both directions. */
  readonly onPathAfterMs?: number;
  readonly packetsSent: number;
  readonly packetsLost: number;
  /** Longest time in which nothing arrived in one direction. */
  readonly outageMs: number;
  /** Of payloads that arrived, in both directions. */
  readonly bitPerSec?: number;
  /** Median of the packets that were returned as they were. */
  readonly roundTripMs?: number;
}

export interface FlowObservation extends FlowFigures {
  readonly name: string;
  readonly between: readonly [string, string];
  readonly protocol: ResolvedFlow["protocol"];
  /** From the start of both programs until data had arrived directly in both directions. */
  readonly directAfterMs?: number;
  readonly directions: readonly DirectionFigures[];
  /** Packets that were told from others of equal content by time and order alone. */
  readonly ambiguous: number;
  readonly effects: readonly (FlowFigures & { readonly event: string })[];
}

/** Different ways that are told of a direction; more say no more. */
const MOST_WAYS = 20;
/** Fewer packets than these do not show that a flow has no path any more. */
const TELLING_PACKETS = 5;

/** Flows that the file names, and those that were found; `packets` is undefined where captures are not complete. */
export function observeFlows(
  topology: ResolvedTopology,
  events: readonly LabEvent[],
  packets: readonly TracedPacket[] | undefined,
): readonly FlowObservation[] {
  return topology.flows.flatMap((flow) => {
    const directions = flowDirections(topology, flow, packets ?? []);
    if (flow.isFound && directions.every((direction) => direction.packets.length === 0)) return [];
    const { name, between, protocol } = flow;
    const partners = commonPartners(topology, flow, packets ?? []);
    const windows = windowsOf(flow, events);
    const startedAt = windows[0]?.from ?? 0;
    const answers = packets?.filter(({ answerTo }) => answerTo !== undefined) ?? [];
    const inWindow = (window: Window): FlowFigures =>
      packets === undefined
        ? { path: "undetermined", relays: [], packetsSent: 0, packetsLost: 0, outageMs: 0 }
        : figuresIn(window, directions, { partners, answers });
    const [first, ...later] = windows.map((window) => ({ window, figures: inWindow(window) }));
    if (first === undefined) return [];
    const directAt = firstArrivals(directions, isDirect);
    return [
      {
        ...{ name, between, protocol },
        ...first.figures,
        ...(directAt === undefined ? {} : { directAfterMs: Math.max(0, directAt - startedAt) }),
        directions: directions.map(directionFigures),
        ambiguous: directions.flatMap(({ packets: own }) => own).filter(({ packet }) => packet.isAmbiguous).length,
        effects: later.map(({ window, figures }) => ({ event: window.event ?? "", ...figures })),
      },
    ];
  });
}

/** A part of the run: from the start of both programs, or from an event, until the next one. */
interface Window {
  readonly event?: string;
  readonly from: number;
  readonly to: number;
}

function windowsOf({ between }: ResolvedFlow, events: readonly LabEvent[]): readonly Window[] {
  const startedAt = Math.max(
    0,
    ...events.flatMap((entry) => (entry.type === "host-started" && between.includes(entry.node) ? [entry.at] : [])),
  );
  const happened = happenedEvents(events)
    .map(({ name, at }) => ({ event: name, from: at }))
    .toSorted((a, b) => a.from - b.from);
  const begins = [{ from: startedAt }, ...happened];
  return begins.map((begin, i) => ({ ...begin, to: begins[i + 1]?.from ?? Infinity }));
}

interface FlowContext {
  readonly partners: readonly string[];
  readonly answers: readonly TracedPacket[];
}

function figuresIn(window: Window, directions: readonly FlowDirection[], context: FlowContext): FlowFigures {
  const { from, to } = window;
  const held = directions.map((direction) => ({
    ...direction,
    packets: direction.packets.filter(({ sentAt }) => sentAt >= from && sentAt < to),
  }));
  const all = held.flatMap(({ packets }) => packets);
  const { partners, answers } = context;
  const path = pathIn(held, window.event === undefined && partners.length > 0);
  const isTelling = window.event === undefined || path !== "none" || all.length >= TELLING_PACKETS;
  const onPathAt = path === "none" ? undefined : firstArrivals(held, path === "direct" ? isDirect : isRelayed);
  const followed = [...new Set(all.flatMap(({ relays }) => relays))];
  return {
    path: isTelling ? path : "undetermined",
    relays: path === "relayed" ? (followed.length > 0 ? followed : partners) : [],
    ...(onPathAt === undefined ? {} : { onPathAfterMs: Math.max(0, onPathAt - from) }),
    packetsSent: all.length,
    packetsLost: all.filter(({ arrivedAt }) => arrivedAt === undefined).length,
    outageMs: Math.max(0, ...directions.map((direction) => longestSilenceMs(direction, window))),
    ...throughputOf(all),
    ...roundTripOf(all, answers),
  };
}

/** Where data went both ways directly and through relays, the last packet decides. */
function pathIn(directions: readonly FlowDirection[], hasPartner: boolean): FlowPath {
  const goesBothWays = (isOn: (packet: FlowPacket) => boolean): boolean =>
    firstArrivals(directions, isOn) !== undefined;
  const arrived = directions.flatMap(({ packets }) => packets.filter(({ arrivedAt }) => arrivedAt !== undefined));
  const last = arrived.toSorted((a, b) => a.sentAt - b.sentAt).at(-1);
  const wasRelayed = goesBothWays(isRelayed);
  if (goesBothWays(isDirect) && (!wasRelayed || (last !== undefined && isDirect(last)))) return "direct";
  return wasRelayed || hasPartner ? "relayed" : "none";
}

function isDirect({ relays }: FlowPacket): boolean {
  return relays.length === 0;
}

function isRelayed({ relays }: FlowPacket): boolean {
  return relays.length > 0;
}

/** When the first such packets had arrived in both directions. */
function firstArrivals(
  directions: readonly FlowDirection[],
  isOn: (packet: FlowPacket) => boolean,
): number | undefined {
  const firsts = directions.map(({ packets }) => packets.find((own) => own.arrivedAt !== undefined && isOn(own)));
  const arrivals = firsts.flatMap((own) => (own?.arrivedAt === undefined ? [] : [own.arrivedAt]));
  return arrivals.length === directions.length ? Math.max(...arrivals) : undefined;
}

/** Between two arrivals, the second of them in the window; or from the last arrival until nothing more was sent. */
function longestSilenceMs({ packets }: FlowDirection, { from, to }: Pick<Window, "from" | "to">): number {
  const arrivals = packets.flatMap(({ arrivedAt }) => arrivedAt ?? []).toSorted((a, b) => a - b);
  const gaps = arrivals.map((at, i) => (at >= from && at < to ? at - (arrivals[i - 1] ?? at) : 0));
  const lastSent = packets.findLast(({ sentAt }) => sentAt >= from && sentAt < to)?.sentAt ?? from;
  const lastArrival = arrivals.findLast((at) => at < to) ?? lastSent;
  return Math.max(0, lastSent - lastArrival, ...gaps);
}

function throughputOf(packets: readonly FlowPacket[]): Pick<FlowFigures, "bitPerSec"> {
  const arrived = packets.filter(({ arrivedAt }) => arrivedAt !== undefined).toSorted((a, b) => a.sentAt - b.sentAt);
  const lastedMs = (arrived.at(-1)?.sentAt ?? 0) - (arrived[0]?.sentAt ?? 0);
  const octets = arrived.reduce((sum, { packet }) => sum + packet.octets, 0);
  return lastedMs > 0 ? { bitPerSec: (octets * 8 * 1000) / lastedMs } : {};
}

function roundTripOf(
  packets: readonly FlowPacket[],
  answers: readonly TracedPacket[],
): Pick<FlowFigures, "roundTripMs"> {
  const sentAt = new Map(packets.map(({ packet, sentAt: at }) => [packet, at]));
  const times = answers.flatMap((answer) => {
    const { answerTo } = answer;
    const from = answerTo && sentAt.get(answerTo);
    const last = lastSighting(answer);
    const isBack = last.receiver === answerTo?.sightings[0].sender;
    return from === undefined || !isBack ? [] : [last.at - from];
  });
  const roundTripMs = median(times);
  return roundTripMs === undefined ? {} : { roundTripMs };
}

function directionFigures({ from, to, packets }: FlowDirection): DirectionFigures {
  const arrived = packets.filter(({ arrivedAt }) => arrivedAt !== undefined);
  return {
    ...{ from, to },
    packets: packets.length,
    lost: packets.length - arrived.length,
    duplicated: arrived.filter(({ packet }) => packet.isCopy).length,
    reordered: countReordered(arrived.flatMap(({ arrivedAt }) => arrivedAt ?? [])),
    octets: arrived.reduce((sum, { packet }) => sum + packet.octets, 0),
    ways: waysOf(arrived),
  };
}

function waysOf(packets: readonly FlowPacket[]): readonly Way[] {
  const ways = new Map<string, Way>();
  const numbers = new Map<FiveTuple, number>();
  const numberOf = (tuple: FiveTuple): number => {
    const number = numbers.get(tuple) ?? numbers.size;
    numbers.set(tuple, number);
    return number;
  };
  for (const { packet, sentAt, relays } of packets) {
    const key = packet.sightings.map(({ segment, tuple }) => `${segment} ${numberOf(tuple)}`).join();
    const known = ways.get(key);
    if (known === undefined && ways.size >= MOST_WAYS) continue;
    const segments = known?.segments ?? packet.sightings.map(({ segment, tuple }) => ({ segment, tuple }));
    ways.set(key, { packets: (known?.packets ?? 0) + 1, since: known?.since ?? sentAt, relays, segments });
  }
  return [...ways.values()];
}
