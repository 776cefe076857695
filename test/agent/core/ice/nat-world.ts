/**
 * A small network in virtual time: nodes with one IPv4 socket each, optionally behind a NAT, and a tunnel between their
 * home addresses. Enough to run two ICE agents against each other; the outcome of every packet is recorded.
 */

import {
  familyOf,
  formatSocketAddress,
  type SocketAddress,
  sameSocketAddress,
} from "../../../../agent/src/core/address.ts";
import type { Datagram, InstantMs, Transmit } from "../../../../agent/src/core/machine.ts";
import type { NatDependence } from "../../../../agent/src/core/nat/nat-profile.ts";

export interface NatBehaviour {
  readonly externalIp: string;
  readonly mapping: NatDependence;
  readonly filtering: NatDependence;
  /** External port of the first mapping; later ones count up. */
  readonly firstPort: number;
}

/** Any sans-IO machine that uses STUN on a node's sockets. */
interface Machine {
  handleStun(now: InstantMs, datagram: Datagram): void;
  handleTimeout(now: InstantMs): void;
  pollTransmit(): Transmit | undefined;
  pollTimeout(): InstantMs | undefined;
}

export interface WorldNode {
  readonly name: string;
  /** The node's only IPv4 socket. */
  readonly socket: SocketAddress;
  /** Home address and port: packets from here travel through the home agents. */
  readonly home?: SocketAddress;
  readonly nat?: Nat;
  machine: Machine | undefined;
}

/** Outcome of a packet. */
export type CounterName = "delivered" | "filtered" | "unroutable" | "lost";

export interface SegmentEntry {
  readonly sentAt: InstantMs;
  /** Name of the sending node. */
  readonly from: string;
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
  readonly payload: Uint8Array;
  fate: CounterName | undefined;
}

/** Called as a packet is sent; `lost` drops it. */
export type Tap = (entry: SegmentEntry) => "pass" | "lost";

interface Arrival {
  readonly at: InstantMs;
  readonly order: number;
  deliver(): void;
}

/** A NAT as in RFC 4787; mappings never expire here. */
export class Nat {
  readonly behaviour: NatBehaviour;
  readonly #mappings = new Map<string, { inside: SocketAddress; port: number; contacted: SocketAddress[] }>();

  constructor(behaviour: NatBehaviour) {
    this.behaviour = behaviour;
  }

  /** Translates an outgoing packet's source and opens the filter for its destination. */
  outbound(inside: SocketAddress, destination: SocketAddress): SocketAddress {
    const { mapping, externalIp, firstPort } = this.behaviour;
    const key = `${formatSocketAddress(inside)} ${dependentPart(mapping, destination)}`;
    const entry = this.#mappings.get(key) ?? { inside, port: firstPort + this.#mappings.size, contacted: [] };
    entry.contacted.push(destination);
    this.#mappings.set(key, entry);
    return { ip: externalIp, port: entry.port };
  }

  /**
   * Inside address for a packet from `source` to an external port; undefined if there is no mapping or it is filtered.
   */
  inbound(source: SocketAddress, port: number): SocketAddress | undefined {
    const { filtering } = this.behaviour;
    const entry = [...this.#mappings.values()].find((mapping) => mapping.port === port);
    const isLetIn = entry?.contacted.some(
      (peer) => dependentPart(filtering, peer) === dependentPart(filtering, source),
    );
    return isLetIn === true ? entry?.inside : undefined;
  }
}

export class NatWorld {
  now: InstantMs;
  readonly segment: SegmentEntry[] = [];
  tap: Tap = () => "pass";
  readonly #nodes: WorldNode[];
  readonly #delayMs: { readonly direct: number; readonly relayed: number };
  #arrivals: Arrival[] = [];
  #count = 0;

  constructor(nodes: readonly WorldNode[], delayMs = { direct: 1, relayed: 4 }, startAt: InstantMs = 0) {
    this.#nodes = [...nodes];
    this.#delayMs = delayMs;
    this.now = startAt;
  }

  /** Runs time up to and including `until`. */
  runUntil(until: InstantMs): void {
    this.#drain();
    for (let steps = 0; ; steps++) {
      if (steps > 100_000) throw new Error("a machine asks for time-outs without end");
      const next = this.#nextInstant();
      if (next === undefined || next > until) break;
      this.now = Math.max(next, this.now);
      this.#step();
      this.#drain();
    }
    this.now = until;
  }

  /** Schedules something other than a machine's packet, such as an answer sent by signalling. */
  at(instant: InstantMs, action: () => void): void {
    this.#arrivals.push({ at: instant, order: this.#count++, deliver: action });
  }

  /** Puts a packet with any source on the public segment: attackers have no NAT. */
  inject(source: SocketAddress, destination: SocketAddress, payload: Uint8Array): void {
    this.#route({ sentAt: this.now, from: "attacker", source, destination, payload, fate: undefined });
  }

  /** One line per packet, for comparing whole runs. */
  trace(): string[] {
    return this.segment.map(({ sentAt, from, source, destination, payload, fate }) =>
      [
        sentAt,
        from,
        formatSocketAddress(source),
        formatSocketAddress(destination),
        Buffer.from(payload).toString("hex"),
        fate,
      ].join(" "),
    );
  }

  #nextInstant(): InstantMs | undefined {
    const timers = this.#nodes.map((node) => node.machine?.pollTimeout());
    const instants = [...timers, ...this.#arrivals.map(({ at }) => at)].filter((at) => at !== undefined);
    return instants.length === 0 ? undefined : Math.min(...instants);
  }

  #step(): void {
    const due = this.#arrivals.filter(({ at }) => at <= this.now).toSorted((a, b) => a.at - b.at || a.order - b.order);
    this.#arrivals = this.#arrivals.filter(({ at }) => at > this.now);
    for (const arrival of due) {
      arrival.deliver();
      this.#drain();
    }
    for (const { machine } of this.#nodes) {
      const timeout = machine?.pollTimeout();
      if (timeout !== undefined && timeout <= this.now) machine?.handleTimeout(this.now);
    }
  }

  #drain(): void {
    for (const node of this.#nodes) {
      for (let packet = node.machine?.pollTransmit(); packet !== undefined; packet = node.machine?.pollTransmit())
        this.#send(node, packet);
    }
  }

  #send(node: WorldNode, { local, remote, payload }: Transmit): void {
    const isTunnelled = node.home !== undefined && sameSocketAddress(local, node.home);
    const isInside = !isTunnelled && node.nat !== undefined && !this.#isPublic(remote);
    const source = isTunnelled || isInside || node.nat === undefined ? local : node.nat.outbound(local, remote);
    const entry: SegmentEntry = {
      sentAt: this.now,
      from: node.name,
      source,
      destination: remote,
      payload,
      fate: undefined,
    };
    if (isInside) this.#routeInside(node, entry);
    else this.#route(entry);
  }

  /** A LAN has only this node: a packet arrives only if it is for the node itself. */
  #routeInside(node: WorldNode, entry: SegmentEntry): void {
    this.#carry(entry, 0, () =>
      sameSocketAddress(entry.destination, node.socket) ? { node, local: node.socket } : "unroutable",
    );
  }

  #route(entry: SegmentEntry): void {
    const delayMs = familyOf(entry.destination.ip) === 6 ? this.#delayMs.relayed : this.#delayMs.direct;
    this.#carry(entry, delayMs, () => this.#receiverOf(entry));
  }

  #carry(
    entry: SegmentEntry,
    delayMs: number,
    receiver: () => { node: WorldNode; local: SocketAddress } | CounterName,
  ): void {
    this.segment.push(entry);
    if (this.tap(entry) === "lost") {
      entry.fate = "lost";
      return;
    }
    this.at(this.now + delayMs, () => {
      const found = receiver();
      entry.fate = typeof found === "string" ? found : "delivered";
      if (typeof found === "string") return;
      const datagram = { local: found.local, remote: entry.source, payload: entry.payload };
      found.node.machine?.handleStun(this.now, datagram);
    });
  }

  /** Filters decide on arrival, not when the packet is sent. */
  #receiverOf({ source, destination }: SegmentEntry): { node: WorldNode; local: SocketAddress } | CounterName {
    for (const node of this.#nodes) {
      if (node.home !== undefined && sameSocketAddress(node.home, destination)) return { node, local: node.home };
      if (node.nat === undefined && sameSocketAddress(node.socket, destination)) return { node, local: node.socket };
      if (node.nat?.behaviour.externalIp !== destination.ip) continue;
      const local = node.nat.inbound(source, destination.port);
      return local === undefined ? "filtered" : { node, local };
    }
    return "unroutable";
  }

  #isPublic({ ip }: SocketAddress): boolean {
    return !ip.startsWith("192.168.") && !ip.startsWith("10.");
  }
}

function dependentPart(dependence: NatDependence, peer: SocketAddress): string {
  switch (dependence) {
    case "endpoint-independent":
      return "";
    case "address-dependent":
      return peer.ip;
    case "address-and-port-dependent":
      return formatSocketAddress(peer);
  }
}
