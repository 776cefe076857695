/**
 * A segment whose condition this process makes, for kernels without netem. The segment's interface is a TAP device; its
 * frames go through one impairment a direction to a packet socket on the engine's interface, the segment's end, and back.
 *
 * To the node nothing shows: rules, routes and programs see an interface with the segment's name. A capture of the
 * segment's end shows what left. The kernel must not take frames in at the segment's end as well: `WIRE_END_GUARD` drops them
 * there, behind the packet socket. (A bridge between TAP and segment would do too, were it not that frames across a bridge
 * meet the node's own iptables wherever the machine has br_netfilter, and are dropped by a middlebox's FORWARD policy.)
 */

import { readFileSync } from "node:fs";
import type { InterfaceImpairments, LinkDirection } from "../../control/messages.ts";
import type { Impairment } from "../../core/link/impairment.ts";
import { createLinkImpairment, type LinkCounters, type Uniform } from "../../core/link/link-impairment.ts";
import type { InstantMs } from "../../core/machine.ts";
import type { PacketDevice } from "../native/packet-device.ts";
import { now } from "../process/clock.ts";
import { createSeededRng } from "../process/entropy.ts";
import { openTap } from "../tun/tun.ts";
import { createAlarm } from "./alarm.ts";
import type { LinkImpairments } from "./impaired-interface.ts";
import { openPacketSocket } from "./packet-socket.ts";

/** Figures of one direction: what the impairment did, and what this process could not keep up with. */
export interface UserSpaceFigures extends LinkCounters {
  readonly delivered: number;
  /** Frames that came faster than they were read; 0 unless the machine is overloaded. */
  readonly overrun: number;
  /** Frames that the kernel would not take. */
  readonly refused: number;
}

export interface UserSpaceLink {
  /** Other conditions for frames that come from here on; those on their way arrive as they would have. */
  change(impairments: LinkImpairments): void;
  /** Carries frames from here on. */
  start(): void;
  figures(): Readonly<Record<LinkDirection, UserSpaceFigures>>;
  close(): void;
}

/** Rules, for one segment end each, that keep the kernel's own stack away from frames that arrive there. */
export function underlyingGuard(underlyingName: string): string {
  return `table netdev ${underlyingName} {
  chain ingress {
    type filter hook ingress device "${underlyingName}" priority -500; policy drop;
  }
}
`;
}

/**
 * Makes the TAP device `interfaceName` beside the segment's end, which exists. Both directions keep the order of frames and
 * lose none but those they are asked to.
 */
export function openUserSpaceLink(
  interfaceName: string,
  underlyingName: string,
  impairment: InterfaceImpairments,
): UserSpaceLink {
  const tap = openTap(interfaceName);
  const iface = openPacketSocket(underlyingName);
  const seedOf = (direction: LinkDirection): string => `${impairment.seed}${direction === "out" ? "00" : "01"}`;
  const out = createDirection(impairment.out ?? {}, seedOf("out"), iface);
  const inbound = createDirection(impairment.in ?? {}, seedOf("in"), tap);
  let linkOverruns = 0;
  let tapOverrunsBefore = 0;
  return {
    change(impairments) {
      out.change(impairments.out);
      inbound.change(impairments.in);
    },
    start() {
      // What the kernel says by itself while an interface comes up (MLD) may find no room yet.
      tapOverrunsBefore = tapOverruns(interfaceName);
      tap.listen(out.take);
      iface.listen(inbound.take);
    },
    figures() {
      linkOverruns += iface.takeOverruns();
      return { out: out.figures(tapOverruns(interfaceName) - tapOverrunsBefore), in: inbound.figures(linkOverruns) };
    },
    close() {
      for (const part of [out, inbound, tap, iface]) part.close();
    },
  };
}

interface Direction {
  readonly take: (frame: Uint8Array) => void;
  change(impairment: Impairment): void;
  figures(overrun: number): UserSpaceFigures;
  close(): void;
}

/** Frames in, and out to `sink` when they are due. A frame counts with its Ethernet header and without checksum. */
function createDirection(impairment: Impairment, seed: string, sink: PacketDevice): Direction {
  const uniform = uniformFrom(seed);
  let link = createLinkImpairment<Uint8Array>(impairment, uniform);
  /** Earlier conditions: frames that came under them may still be on their way. */
  const earlier: (typeof link)[] = [];
  let armedFor: InstantMs | undefined;
  const deliver = (): void => {
    const at = now();
    for (const each of [...earlier, link])
      for (let frame = each.pollDue(at); frame !== undefined; frame = each.pollDue(at)) sink.write(frame);
    const next = earliest([...earlier, link].map((each) => each.pollTimeout()));
    // A wake-up that is set already stays; one that has just gone off is set anew, or not at all.
    if (next === armedFor) return;
    armedFor = next;
    alarm.set(next === undefined ? undefined : next - at);
  };
  const alarm = createAlarm(() => {
    armedFor = Number.NaN;
    deliver();
  });
  return {
    take(frame) {
      link.push(now(), frame, frame.length);
      deliver();
    },
    change(changed) {
      earlier.push(link);
      link = createLinkImpairment(changed, uniform);
    },
    figures(overrun) {
      const { written, refused } = sink.counters();
      const counters = earlier.reduce((sum, each) => added(sum, each.counters()), link.counters());
      return { ...counters, delivered: written, overrun, refused };
    },
    close: () => alarm.close(),
  };
}

function earliest(instants: readonly (InstantMs | undefined)[]): InstantMs | undefined {
  const known = instants.filter((instant) => instant !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function added(a: LinkCounters, b: LinkCounters): LinkCounters {
  return {
    received: a.received + b.received,
    lost: a.lost + b.lost,
    queueFull: a.queueFull + b.queueFull,
    duplicated: a.duplicated + b.duplicated,
    reordered: a.reordered + b.reordered,
  };
}

/** 32 bits of the generator each. */
function uniformFrom(seed: string): Uniform {
  const rng = createSeededRng(seed);
  return () => {
    const [a = 0, b = 0, c = 0, d = 0] = rng.bytes(4);
    return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) / 2 ** 32;
  };
}

/** What the kernel could not hand over: `dropped` of the transmitting side in /proc/net/dev. */
function tapOverruns(interfaceName: string): number {
  const line = readFileSync("/proc/net/dev", "utf8")
    .split("\n")
    .find((candidate) => candidate.trimStart().startsWith(`${interfaceName}:`));
  const figures = line
    ?.slice(line.indexOf(":") + 1)
    .trim()
    .split(/\s+/);
  return Number(figures?.[TRANSMIT_DROPPED_COLUMN] ?? 0);
}

/** Eight columns of the receiving side come first, then octets, packets, errors. */
const TRANSMIT_DROPPED_COLUMN = 11;
