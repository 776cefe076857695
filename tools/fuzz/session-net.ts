/**
 * Whole nodes on one network where every packet takes 5 ms: what a node sends arrives at the socket with that address,
 * or, as inner IPv6, at the home agent of that prefix. Packets to anybody else are lost.
 */

import { formatSocketAddress, type SocketAddress } from "../../agent/src/core/address.ts";
import type { NodeEvent } from "../../agent/src/core/events.ts";
import type { Datagram, InstantMs, Transmit } from "../../agent/src/core/machine.ts";
import { decodeIpv6Packet } from "../../agent/src/core/mip6/ipv6-packet.ts";
import { decodeUdpInIpv6, encodeUdpInIpv6 } from "../../agent/src/core/mip6/udp-in-ipv6.ts";
import type { NodeMachine } from "../../agent/src/core/node/node-machine.ts";
import { expectAtMost } from "./target.ts";

/** What made a node act: a packet, its timer, or its owner. */
export type Cause = "packet" | "timer" | "owner";

/** What a node gave out in one call. */
export interface NodeOutput {
  readonly cause: Cause;
  readonly events: readonly NodeEvent[];
  readonly transmits: readonly Transmit[];
}

export interface NetNode {
  readonly name: string;
  readonly machine: NodeMachine;
  readonly sockets: readonly SocketAddress[];
  /** A home agent's prefix, as text that all its addresses begin with. */
  readonly homePrefix?: string;
  /** Takes what the node writes to its TUN device; a home agent's packets are routed when absent. */
  readonly onTun?: (packet: Uint8Array) => void;
  /** Sees each datagram before the node does. */
  readonly onDatagram?: (datagram: Datagram) => void;
  readonly onOutput?: (output: NodeOutput) => void;
  /** Takes what the node sends; it is put on the network when absent. */
  readonly onTransmit?: (transmit: Transmit) => void;
}

const DELAY_MS = 5;
/** Most calls of `handleTimeout` at one instant before a node counts as never idle. */
const MAX_WAKES_PER_INSTANT = 256;
/** Most packets on their way at once: with more, something goes round. */
const MAX_ON_THE_WAY = 20_000;

export class SessionNet {
  readonly #nodes: NetNode[] = [];
  readonly #bySocket = new Map<string, NetNode>();
  /** In order of arrival, since all take the same time. */
  #onTheWay: { readonly at: InstantMs; readonly arrive: () => void }[] = [];
  #now: InstantMs = 0;

  get now(): InstantMs {
    return this.#now;
  }

  add(node: NetNode): void {
    this.#nodes.push(node);
    for (const socket of node.sockets) this.#bySocket.set(formatSocketAddress(socket), node);
    this.tell(node, "owner", () => node.machine.start(this.#now));
  }

  /** Puts a datagram on the network; the source may be anything. */
  send({ local, remote, payload }: Transmit): void {
    this.#later(() => this.#arrive(local, remote, payload));
  }

  /** Has a node act, and takes what it gives out. */
  tell(node: NetNode, cause: Cause, act: () => void): void {
    act();
    const { machine } = node;
    const events = drain(() => machine.pollEvent());
    const transmits = drain(() => machine.pollTransmit());
    node.onOutput?.({ cause, events, transmits });
    for (const transmit of transmits) (node.onTransmit ?? ((sent) => this.send(sent)))(transmit);
    for (const packet of drain(() => machine.pollTunPacket()))
      (node.onTun ?? ((routed) => this.#later(() => this.#route(routed))))(packet);
  }

  /** Continues for this long. Throws when a node never becomes idle or a packet goes round. */
  runFor(durationMs: number): void {
    const until = this.#now + durationMs;
    let wakes = 0;
    for (;;) {
      const arrivesAt = this.#onTheWay[0]?.at ?? Infinity;
      const sleeper = this.#earliest();
      const wakesAt = sleeper?.machine.pollTimeout() ?? Infinity;
      const next = Math.min(arrivesAt, wakesAt);
      if (next > until) break;
      wakes = next > this.#now ? 0 : wakes + 1;
      this.#now = Math.max(this.#now, next);
      if (arrivesAt <= wakesAt) this.#arriveDue();
      else if (sleeper !== undefined) this.tell(sleeper, "timer", () => sleeper.machine.handleTimeout(this.#now));
      expectAtMost(MAX_WAKES_PER_INSTANT, wakes, "wake-ups and arrivals at one instant");
    }
    this.#now = until;
  }

  #earliest(): NetNode | undefined {
    let earliest: NetNode | undefined;
    let at = Infinity;
    for (const node of this.#nodes) {
      const wakesAt = node.machine.pollTimeout() ?? Infinity;
      if (wakesAt >= at) continue;
      earliest = node;
      at = wakesAt;
    }
    return earliest;
  }

  #later(arrive: () => void): void {
    this.#onTheWay.push({ at: this.#now + DELAY_MS, arrive });
    expectAtMost(MAX_ON_THE_WAY, this.#onTheWay.length, "packets on their way");
  }

  #arriveDue(): void {
    const due = this.#onTheWay.filter(({ at }) => at <= this.#now);
    this.#onTheWay = this.#onTheWay.slice(due.length);
    for (const { arrive } of due) arrive();
  }

  #arrive(source: SocketAddress, destination: SocketAddress, payload: Uint8Array): void {
    const node = this.#bySocket.get(formatSocketAddress(destination));
    if (node === undefined) {
      if (this.#homeOf(destination.ip) !== undefined) this.#route(encodeUdpInIpv6({ source, destination, payload }));
      return;
    }
    const datagram: Datagram = { local: destination, remote: source, payload };
    node.onDatagram?.(datagram);
    this.tell(node, "packet", () => node.machine.handleDatagram(this.#now, datagram));
  }

  /** A plain IPv6 packet: to a home network, or UDP to a socket. */
  #route(packet: Uint8Array): void {
    const ip = decodeIpv6Packet(packet);
    if (!ip.ok) return;
    const home = this.#homeOf(ip.value.destination);
    if (home !== undefined) {
      this.tell(home, "packet", () => home.machine.handleTunPacket(this.#now, packet));
      return;
    }
    const inner = decodeUdpInIpv6(ip.value);
    if (inner.ok) this.#arrive(inner.value.source, inner.value.destination, inner.value.payload);
  }

  #homeOf(ip: string): NetNode | undefined {
    return this.#nodes.find(({ homePrefix }) => homePrefix !== undefined && ip.startsWith(homePrefix));
  }
}

function drain<T>(poll: () => T | undefined): readonly T[] {
  const all: T[] = [];
  for (let item = poll(); item !== undefined; item = poll()) all.push(item);
  return all;
}
