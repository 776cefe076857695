/**
 * One direction of an impaired link as a sans-IO machine: packets go in with a time, and come out when they are due.
 *
 * A packet passes loss, then the rate's queue, then the delay, as on a real link behind a queue. Jitter alone never
 * reorders; packets overtake only with `reorderRate`.
 */

import type { InstantMs } from "../machine.ts";
import { DEFAULT_QUEUE_PACKETS, type Impairment } from "./impairment.ts";

/** Uniform draws from [0, 1). */
export type Uniform = () => number;

export interface LinkImpairment<Packet> {
  /** Takes a packet of `octets` on the wire. */
  push: (now: InstantMs, packet: Packet, octets: number) => void;
  /** The next packet that is due, or undefined. */
  pollDue: (now: InstantMs) => Packet | undefined;
  /** When the next packet is due; undefined when there is none. */
  pollTimeout: () => InstantMs | undefined;
  counters: () => LinkCounters;
}

export interface LinkCounters {
  readonly received: number;
  readonly lost: number;
  readonly queueFull: number;
  readonly duplicated: number;
  readonly reordered: number;
}

export function createLinkImpairment<Packet>(impairment: Impairment, uniform: Uniform): LinkImpairment<Packet> {
  const isLost = lossProcess(impairment, uniform);
  const line = rateLine(impairment);
  const underWay: { readonly dueAt: InstantMs; readonly packet: Packet }[] = [];
  const counters = { received: 0, lost: 0, queueFull: 0, duplicated: 0, reordered: 0 };
  let lastInOrderAt: InstantMs = Number.NEGATIVE_INFINITY;

  const send = (sentAt: InstantMs, packet: Packet): void => {
    const overtakes = impairment.reorderRate !== undefined && uniform() < impairment.reorderRate;
    if (overtakes) counters.reordered += 1;
    else lastInOrderAt = Math.max(lastInOrderAt, sentAt + delayOf(impairment, uniform));
    insert(underWay, { dueAt: overtakes ? sentAt : lastInOrderAt, packet });
  };

  return {
    push(now, packet, octets) {
      counters.received += 1;
      if (isLost()) {
        counters.lost += 1;
        return;
      }
      const sentAt = line(now, octets);
      if (sentAt === "full") {
        counters.queueFull += 1;
        return;
      }
      send(sentAt, packet);
      if (impairment.duplicateRate !== undefined && uniform() < impairment.duplicateRate) {
        counters.duplicated += 1;
        send(sentAt, packet);
      }
    },
    pollDue: (now) => ((underWay[0]?.dueAt ?? Number.POSITIVE_INFINITY) <= now ? underWay.shift()?.packet : undefined),
    pollTimeout: () => underWay[0]?.dueAt,
    counters: () => ({ ...counters }),
  };
}

/** Independent losses, or the two-state chain of Gilbert: every packet is lost in the bad state, none in the good. */
function lossProcess({ lossRate = 0, lossBurst = 1 }: Impairment, uniform: Uniform): () => boolean {
  if (lossRate <= 0) return () => false;
  if (lossBurst <= 1 || lossRate >= 1) return () => uniform() < lossRate;
  const leaveBad = 1 / lossBurst;
  const enterBad = (lossRate * leaveBad) / (1 - lossRate);
  let isBad = uniform() < lossRate;
  return () => {
    isBad = uniform() < (isBad ? 1 - leaveBad : enterBad);
    return isBad;
  };
}

/** When a packet that arrives at `now` has been sent at the link's rate, after the packets before it. */
function rateLine({ rateBitPerSec, queuePackets = DEFAULT_QUEUE_PACKETS }: Impairment) {
  const departures: InstantMs[] = [];
  return (now: InstantMs, octets: number): InstantMs | "full" => {
    if (rateBitPerSec === undefined) return now;
    while ((departures[0] ?? Number.POSITIVE_INFINITY) <= now) departures.shift();
    if (departures.length >= queuePackets) return "full";
    const departsAt = Math.max(now, departures.at(-1) ?? now) + (octets * 8 * 1000) / rateBitPerSec;
    departures.push(departsAt);
    return departsAt;
  };
}

function delayOf({ delayMs = 0, jitterMs = 0 }: Impairment, uniform: Uniform): number {
  return Math.max(0, delayMs + (jitterMs === 0 ? 0 : (2 * uniform() - 1) * jitterMs));
}

/** Inserts by due time, equal times in order of arrival; nearly always an append. */
function insert<T extends { readonly dueAt: InstantMs }>(list: T[], entry: T): void {
  let at = list.length;
  while (at > 0 && (list[at - 1]?.dueAt ?? 0) > entry.dueAt) at -= 1;
  list.splice(at, 0, entry);
}
