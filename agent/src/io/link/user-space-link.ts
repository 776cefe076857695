/**
 * A link that is impaired by this process, for kernels without netem and for what netem cannot do. The interface to the
 * segment is a TAP device; its frames pass through one impairment per direction to a packet socket on the engine's
 * interface (the underlying one).
 *
 * This is transparent to the node: rules, routes and programs see an interface with the usual name. A capture of the
 * underlying interface shows what left. The kernel must not process frames on that interface as well:
 * `underlyingGuard` drops them, after the packet socket has received them. (A bridge between the two would also work,
 * but on machines with br_netfilter bridged frames pass the node's own iptables, where a router's FORWARD policy drops
 * them.)
 */

import { readFileSync } from "node:fs";
import type { InterfaceImpairments, LinkDirection } from "../../control/messages.ts";
import { type LimitedFrame, limitFrame } from "../../core/link/frame-limit.ts";
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

/** Counters of one direction: the impairment's, and the frames this process could not handle. */
export interface UserSpaceFigures extends LinkCounters {
  readonly delivered: number;
  /** Frames dropped because they arrived faster than they were read; 0 unless the machine is overloaded. */
  readonly overrun: number;
  /** Frames that the kernel refused. */
  readonly refused: number;
  readonly corrupted: number;
  /** Frames of packets that are larger than the link's MTU, and of fragments that it drops. */
  readonly tooBig: number;
  readonly fragmentsDropped: number;
}

export interface UserSpaceLink {
  /** Replaces the impairments for frames that arrive from now on; frames in flight keep their delivery times. */
  change(impairments: LinkImpairments): void;
  /** Starts forwarding frames. */
  start(): void;
  figures(): Readonly<Record<LinkDirection, UserSpaceFigures>>;
  close(): void;
}

/** Rules that drop frames arriving on an underlying interface before the kernel's own stack processes them. */
export function underlyingGuard(underlyingName: string): string {
  return `table netdev ${underlyingName} {
  chain ingress {
    type filter hook ingress device "${underlyingName}" priority -500; policy drop;
  }
}
`;
}

/**
 * Creates the TAP device `interfaceName` for an existing underlying interface. Without an impairment that says
 * otherwise, both directions keep the order of frames and lose none.
 */
export function openUserSpaceLink(
  interfaceName: string,
  underlyingName: string,
  impairment: InterfaceImpairments,
): UserSpaceLink {
  const tap = openTap(interfaceName);
  const iface = openPacketSocket(underlyingName);
  const seedOf = (direction: LinkDirection): string => `${impairment.seed}${direction === "out" ? "00" : "01"}`;
  const out = createDirection(impairment.out ?? {}, seedOf("out"), { sink: iface, back: tap });
  const inbound = createDirection(impairment.in ?? {}, seedOf("in"), { sink: tap, back: iface });
  let linkOverruns = 0;
  let tapOverrunsBefore = 0;
  return {
    change(impairments) {
      out.change(impairments.out);
      inbound.change(impairments.in);
    },
    start() {
      // What the kernel sends by itself while an interface comes up (MLD) may be refused at this stage.
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

/** Where a direction's frames go, and where its answers to their senders go. */
interface Ends {
  readonly sink: PacketDevice;
  readonly back: PacketDevice;
}

/** Delays frames and writes them to `sink` when due. A frame's size includes its Ethernet header, not its checksum. */
function createDirection(impairment: Impairment, seed: string, { sink, back }: Ends): Direction {
  const uniform = uniformFrom(seed);
  let current = impairment;
  const counters = { corrupted: 0, tooBig: 0, fragmentsDropped: 0 };
  let link = createLinkImpairment<Uint8Array>(impairment, uniform);
  /** Former impairments that may still have frames in flight. */
  const earlier: (typeof link)[] = [];
  let armedFor: InstantMs | undefined;
  const deliver = (): void => {
    const at = now();
    for (const each of [...earlier, link])
      for (let frame = each.pollDue(at); frame !== undefined; frame = each.pollDue(at)) sink.write(frame);
    const next = earliest([...earlier, link].map((each) => each.pollTimeout()));
    // A wake-up that is already set stays; one that has just gone off is set again or cleared.
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
      const limited: LimitedFrame = current.limits ? limitFrame(frame, current.limits) : { forward: [frame] };
      if (limited.dropped === "too-big") counters.tooBig += 1;
      if (limited.dropped === "fragment") counters.fragmentsDropped += 1;
      if (limited.back !== undefined) back.write(limited.back);
      for (const each of limited.forward) {
        const isCorrupted = current.corruptRate !== undefined && uniform() < current.corruptRate;
        if (isCorrupted) counters.corrupted += 1;
        link.push(now(), isCorrupted ? corruptedCopy(each, uniform) : each, each.length);
      }
      deliver();
    },
    change(changed) {
      current = changed;
      earlier.push(link);
      link = createLinkImpairment(changed, uniform);
    },
    figures(overrun) {
      const { written, refused } = sink.counters();
      const ofLinks = earlier.reduce((sum, each) => added(sum, each.counters()), link.counters());
      return { ...ofLinks, ...counters, delivered: written, overrun, refused };
    },
    close: () => alarm.close(),
  };
}

/** One bit is another one, behind the Ethernet header: the frame still reaches its node. */
function corruptedCopy(frame: Uint8Array, uniform: Uniform): Uint8Array {
  const copy = frame.slice();
  const at = ETHERNET_LENGTH + Math.floor(uniform() * (copy.length - ETHERNET_LENGTH));
  copy[at] = (copy[at] ?? 0) ^ (1 << Math.floor(uniform() * 8));
  return copy;
}

const ETHERNET_LENGTH = 14;

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

/** Uniform numbers, each from 32 bits of the generator. */
function uniformFrom(seed: string): Uniform {
  const rng = createSeededRng(seed);
  return () => {
    const [a = 0, b = 0, c = 0, d = 0] = rng.bytes(4);
    return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) / 2 ** 32;
  };
}

/** Frames that the kernel dropped: `dropped` of the transmit side in /proc/net/dev. */
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

/** The eight receive columns come first, then bytes, packets and errors. */
const TRANSMIT_DROPPED_COLUMN = 11;
