/** What agents told of an event's effect beside what the captures show of it. */

import { happenedEvents } from "../lab/happened-events.ts";
import type { DataPacket, LabEvent } from "../lab/lab-event.ts";
import type { ResolvedTopology } from "../topology/model/resolved.ts";
import { homeAddresses } from "../topology/model/session-end.ts";
import type { TracedPacket } from "../trace/follow-packets.ts";
import { type CapturedRequest, capturedEvents, capturedRequests } from "./captured-data.ts";
import { type EventEffect, observeEffects } from "./event-effect.ts";
import { median } from "./median.ts";
import { countReordered } from "./reordered.ts";

/** Figures of a flow that the path and its losses do not tell. */
export interface DataFigures {
  /** How long data took the home agents' path while the event held. */
  readonly homeAgentsMs: number;
  /** Answers that came after that of a later request (RFC 4737 section 3.3). */
  readonly reordered: number;
}

export interface CapturedEffect extends EventEffect, DataFigures {
  /** Answers that came again. */
  readonly duplicated: number;
}

/** A figure in which agents and captures disagree by more than two packets, or than the time of two packets. */
export interface Disagreement {
  readonly figure: (typeof COMPARED)[number];
  readonly agents: number | string | undefined;
  readonly captures: number | string | undefined;
}

export interface ComparedEffect extends EventEffect, DataFigures {
  /** Absent where the captures are not complete. */
  readonly captured?: CapturedEffect;
  readonly disagreements: readonly Disagreement[];
}

/** Figures that are compared, as an effect names them. */
export const COMPARED = [
  "path",
  "packetsSent",
  "packetsLost",
  "reordered",
  "outageMs",
  "restoredAfterMs",
  "homeAgentsMs",
] as const;

/** Two packets more or less may be due to the moment at which a packet is counted. */
const TOLERATED_PACKETS = 2;

/** `packets` is undefined where captures are not complete, or there are none. */
export function compareEffects(
  topology: ResolvedTopology,
  events: readonly LabEvent[],
  packets: readonly TracedPacket[] | undefined,
): readonly ComparedEffect[] {
  const told = withFigures(topology, events);
  if (packets === undefined) return told.map((effect) => ({ ...effect, disagreements: [] }));
  const requests = capturedRequests(topology, packets);
  const seen = withFigures(topology, capturedEvents(topology, events, requests));
  return told.map((effect) => {
    const own = seen.find(({ event, session }) => event === effect.event && session === effect.session);
    if (own === undefined) return { ...effect, disagreements: [] };
    const during = requestsOf(requests.get(effect.session) ?? [], windowOf(topology, events, effect.event));
    const duplicated = during.reduce((sum, { answers }) => sum + Math.max(0, answers - 1), 0);
    const captured: CapturedEffect = { ...own, duplicated };
    return { ...effect, captured, disagreements: disagreementsOf(effect, captured, paceOf(during)) };
  });
}

type Told = EventEffect & DataFigures;

function withFigures(topology: ResolvedTopology, events: readonly LabEvent[]): readonly Told[] {
  const homes = homeAddresses(topology.nodes);
  return observeEffects(topology, events).map((effect) => {
    const session = topology.sessions.find(({ name }) => name === effect.session);
    const window = windowOf(topology, events, effect.event);
    const all = events.flatMap((entry) =>
      entry.type === "flow" && entry.session === effect.session ? entry.packets : [],
    );
    const data = requestsOf(all, window);
    const peer = homes.get(session?.to ?? "");
    const changes = events.flatMap((entry) =>
      entry.type === "node" && entry.node === session?.from && entry.event.type === "path" && entry.event.peer === peer
        ? [{ at: entry.at, isDirect: entry.event.path === "direct" }]
        : [],
    );
    return { ...effect, homeAgentsMs: timeOnHomePath(data, changes), reordered: countReordered(arrivalsOf(data)) };
  });
}

interface Window {
  readonly from: number;
  readonly to: number;
}

/** The time from an event until the next one. */
function windowOf({ timeline }: ResolvedTopology, events: readonly LabEvent[], name: string): Window {
  const happened = happenedEvents(events);
  const place = (event: string): number => timeline.findIndex((own) => own.name === event);
  const from = happened.find((entry) => entry.name === name)?.at ?? Infinity;
  const later = happened.filter((entry) => place(entry.name) > place(name)).map(({ at }) => at);
  return { from, to: Math.max(from, Math.min(...later)) };
}

function requestsOf<Packet extends DataPacket>(packets: readonly Packet[], { from, to }: Window): readonly Packet[] {
  return packets.filter(({ sentAt }) => sentAt >= from && sentAt < to).toSorted((a, b) => a.sentAt - b.sentAt);
}

/** From each packet on the home agents' path to the next packet. */
function timeOnHomePath(
  data: readonly DataPacket[],
  changes: readonly { readonly at: number; readonly isDirect: boolean }[],
): number {
  let sum = 0;
  data.forEach(({ sentAt }, i) => {
    const isDirect = changes.findLast(({ at }) => at <= sentAt)?.isDirect ?? false;
    if (!isDirect) sum += (data[i + 1]?.sentAt ?? sentAt) - sentAt;
  });
  return sum;
}

function arrivalsOf(data: readonly DataPacket[]): readonly number[] {
  return data.flatMap(({ sentAt, rttMs }) => (rttMs === null ? [] : [sentAt + rttMs]));
}

/** Median time between two packets. */
function paceOf(data: readonly CapturedRequest[]): number {
  const gaps = data.slice(1).map(({ sentAt }, i) => sentAt - (data[i]?.sentAt ?? sentAt));
  return median(gaps) ?? 0;
}

function disagreementsOf(agents: Told, captures: CapturedEffect, paceMs: number): readonly Disagreement[] {
  return COMPARED.flatMap((figure) => {
    const [a, b] = [agents[figure], captures[figure]];
    const isSame =
      typeof a === "number" && typeof b === "number"
        ? Math.abs(a - b) <= TOLERATED_PACKETS * (figure.endsWith("Ms") ? paceMs : 1)
        : a === b;
    return isSame ? [] : [{ figure, agents: a, captures: b }];
  });
}
