/**
 * The translation table of a NAT as in RFC 4787, with one external address.
 *
 * Where the RFC leaves a choice, it behaves like the kernel's connection tracking. A flow that the outside opened keeps
 * its external port for the answers, whatever the mapping behaviour would select for a new destination. And if the
 * inside host already has a flow with that peer through another external port, the two flows would have the same tuple
 * inside: the peer then appears with another source port, and answers to that port are translated back.
 */

import { formatSocketAddress, type SocketAddress, sameSocketAddress } from "../core/address.ts";
import type { InstantMs } from "../core/machine.ts";
import type { NatProfile } from "../core/nat/nat-profile.ts";
import { type SeededRng, seededRng } from "./seeded-rng.ts";

/** Random draws of a port before the lowest free one is taken. */
const DRAWS = 1000;

interface Mapping {
  readonly inside: SocketAddress;
  readonly externalPort: number;
  readonly keys: Set<string>;
  /** Peers that a packet was sent to: addresses and transport addresses. */
  readonly peers: Set<string>;
  usedAt: InstantMs;
}

/** Translation of a packet from inside. */
export interface OutboundTranslation {
  readonly externalPort: number;
  /** The peer's real transport address. */
  readonly peer: SocketAddress;
}

/** Translation of a packet from outside. */
export interface InboundTranslation {
  readonly inside: SocketAddress;
  /** The peer as the inside host sees it. */
  readonly peer: SocketAddress;
}

/** Mappings from inside transport addresses to ports of the external address. */
export class NatTable {
  readonly #profile: NatProfile;
  readonly #rng: SeededRng;
  readonly #byKey = new Map<string, Mapping>();
  /** The newest first; more than one only where inside hosts share ports. */
  readonly #byPort = new Map<number, readonly Mapping[]>();
  /** When packets from outside that belong to no mapping last claimed a port towards their sender. */
  readonly #claims = new Map<string, InstantMs>();
  /** The place of each host's block. */
  readonly #blocks = new Map<string, number>();
  /** The last port that was counted up to. */
  #counted: number;
  /** Real transport addresses of peers that appear with another port, by flow. */
  readonly #realPeers = new Map<string, SocketAddress>();

  constructor(profile: NatProfile) {
    this.#profile = profile;
    this.#rng = seededRng(profile.seed);
    this.#counted = profile.ports.first + (profile.seed % (profile.ports.last - profile.ports.first + 1));
  }

  /** Number of live mappings, as of the last packet. */
  get size(): number {
    return [...this.#byPort.values()].flat().length;
  }

  /** Translates a packet from inside; creates a mapping if there is none. */
  outbound(now: InstantMs, inside: SocketAddress, shownPeer: SocketAddress): OutboundTranslation {
    this.#expire(now);
    const key = flowKey(inside, shownPeer);
    const peer = this.#realPeers.get(key) ?? shownPeer;
    const mapping = this.#byKey.get(key) ?? this.#mappingOf(inside, peer);
    this.#index(mapping, key);
    mapping.peers.add(peer.ip).add(formatSocketAddress(peer));
    mapping.usedAt = now;
    return { externalPort: mapping.externalPort, peer };
  }

  /** Translates a packet from outside; undefined when the filter drops it. */
  inbound(now: InstantMs, peer: SocketAddress, externalPort: number): InboundTranslation | undefined {
    this.#expire(now);
    const mapping = this.#at(externalPort).find((each) => this.#admits(each, peer));
    if (mapping === undefined && this.#profile.unsolicited === "poison")
      this.#claims.set(claimKey(externalPort, peer), now);
    return mapping !== undefined ? this.#enter(now, mapping, peer) : undefined;
  }

  /** The inside sender that uses an external port, for an ICMP error, which refreshes nothing (RFC 5508). */
  senderAt(now: InstantMs, externalPort: number): SocketAddress | undefined {
    this.#expire(now);
    return this.#at(externalPort)[0]?.inside;
  }

  /** Translates a hairpinned packet: the testbed's NATs do not filter packets from their own LAN. */
  hairpin(now: InstantMs, peer: SocketAddress, externalPort: number): InboundTranslation | undefined {
    this.#expire(now);
    const [mapping] = this.#at(externalPort);
    return mapping && this.#enter(now, mapping, peer);
  }

  /** Removes all mappings, as a reboot does. */
  clear(): void {
    this.#byKey.clear();
    this.#byPort.clear();
    this.#realPeers.clear();
    this.#claims.clear();
  }

  #at(externalPort: number): readonly Mapping[] {
    return this.#byPort.get(externalPort) ?? [];
  }

  #enter(now: InstantMs, mapping: Mapping, peer: SocketAddress): InboundTranslation {
    const { inside } = mapping;
    if (this.#profile.inboundRefresh) mapping.usedAt = now;
    const known = this.#byKey.get(flowKey(inside, peer));
    const shown = known === undefined || known === mapping ? peer : this.#showAs(mapping, peer);
    this.#index(mapping, flowKey(inside, shown));
    return { inside, peer: shown };
  }

  /** A source port that distinguishes a peer's flow from one that the inside host already has with it. */
  #showAs(mapping: Mapping, peer: SocketAddress): SocketAddress {
    const { inside, keys } = mapping;
    for (let port = peer.port; ; port = port === 65_535 ? 1024 : port + 1) {
      const shown = { ip: peer.ip, port };
      const key = flowKey(inside, shown);
      const real = this.#realPeers.get(key);
      if (real !== undefined && keys.has(key) && sameSocketAddress(real, peer)) return shown;
      if (this.#byKey.has(key)) continue;
      this.#realPeers.set(key, peer);
      return shown;
    }
  }

  #admits(mapping: Mapping, peer: SocketAddress): boolean {
    switch (this.#profile.filtering) {
      case "endpoint-independent":
        return true;
      case "address-dependent":
        return mapping.peers.has(peer.ip);
      case "address-and-port-dependent":
        return mapping.peers.has(formatSocketAddress(peer));
    }
  }

  #mappingKey(inside: SocketAddress, peer: SocketAddress): string {
    const from = formatSocketAddress(inside);
    switch (this.#profile.mapping) {
      case "endpoint-independent":
        return `map ${from}`;
      case "address-dependent":
        return `map ${from} ${peer.ip}`;
      case "address-and-port-dependent":
        return `map ${from} ${formatSocketAddress(peer)}`;
    }
  }

  #mappingOf(inside: SocketAddress, peer: SocketAddress): Mapping {
    if (this.#profile.portAssignment === "overload") return this.#sharedMappingOf(inside, peer);
    const key = this.#mappingKey(inside, peer);
    const mapping = this.#byKey.get(key) ?? this.#create(inside);
    this.#index(mapping, key);
    return mapping;
  }

  /** As Linux MASQUERADE: the port used last, else the inside port, else a drawn one; the first that is unique. */
  #sharedMappingOf(inside: SocketAddress, peer: SocketAddress): Mapping {
    const own = [...this.#byPort.values()].flat().filter((mapping) => sameSocketAddress(mapping.inside, inside));
    const last = own.reduce<Mapping | undefined>((a, b) => (a !== undefined && a.usedAt > b.usedAt ? a : b), undefined);
    const isUnique = (port: number): boolean =>
      !this.#claims.has(claimKey(port, peer)) &&
      !this.#at(port).some(({ peers }) => peers.has(formatSocketAddress(peer)));
    const port = [last?.externalPort, inside.port].find((each) => each !== undefined && isUnique(each));
    return own.find(({ externalPort }) => externalPort === port) ?? this.#create(inside, port);
  }

  #create(inside: SocketAddress, externalPort = this.#drawPort(inside)): Mapping {
    const mapping: Mapping = { inside, externalPort, keys: new Set(), peers: new Set(), usedAt: 0 };
    this.#byPort.set(externalPort, [mapping, ...this.#at(externalPort)]);
    return mapping;
  }

  #drawPort(inside: SocketAddress): number {
    const { port: insidePort } = inside;
    const { portAssignment, ports, parity } = this.#profile;
    if (portAssignment === "sequential") return this.#nextPort(insidePort);
    if (portAssignment === "preserve" && !this.#byPort.has(insidePort)) return insidePort;
    const { first, last } = portAssignment === "block" ? this.#blockOf(inside.ip) : ports;
    const isFit = (port: number): boolean =>
      !this.#byPort.has(port) && (parity === "any" || port % 2 === insidePort % 2);
    for (let draw = 0; draw < DRAWS; draw += 1) {
      const port = this.#rng.integer(first, last);
      if (isFit(port)) return port;
    }
    for (let port = first; port <= last; port += 1) if (isFit(port)) return port;
    throw new Error("the simulated NAT has no port left");
  }

  /** The ports of a host: blocks are given in the order in which hosts appear. */
  #blockOf(ip: string): { readonly first: number; readonly last: number } {
    const { ports, blockSize = 1 } = this.#profile;
    const place = this.#blocks.get(ip) ?? this.#blocks.size;
    this.#blocks.set(ip, place);
    const first = ports.first + place * blockSize;
    return { first, last: first + blockSize - 1 };
  }

  /** The next free port, counted up and after the last from the first again. */
  #nextPort(insidePort: number): number {
    const { ports, parity } = this.#profile;
    for (let port = ports.first; port <= ports.last; port += 1) {
      this.#counted = this.#counted === ports.last ? ports.first : this.#counted + 1;
      if (!this.#byPort.has(this.#counted) && (parity === "any" || this.#counted % 2 === insidePort % 2))
        return this.#counted;
    }
    throw new Error("the simulated NAT has no port left");
  }

  /** An older flow to the same peer keeps its external port: the first mapping of a key stays. */
  #index(mapping: Mapping, key: string): void {
    if (this.#byKey.has(key)) return;
    this.#byKey.set(key, mapping);
    mapping.keys.add(key);
  }

  #expire(now: InstantMs): void {
    const oldest = now - this.#profile.udpLifetimeSec * 1000;
    for (const [key, claimedAt] of this.#claims) if (claimedAt <= oldest) this.#claims.delete(key);
    for (const mapping of [...this.#byPort.values()].flat()) {
      if (mapping.usedAt > oldest) continue;
      const others = this.#at(mapping.externalPort).filter((each) => each !== mapping);
      if (others.length === 0) this.#byPort.delete(mapping.externalPort);
      else this.#byPort.set(mapping.externalPort, others);
      for (const key of mapping.keys) {
        this.#byKey.delete(key);
        this.#realPeers.delete(key);
      }
    }
  }
}

function claimKey(externalPort: number, peer: SocketAddress): string {
  return `${externalPort} ${formatSocketAddress(peer)}`;
}

function flowKey(inside: SocketAddress, peer: SocketAddress): string {
  return `flow ${formatSocketAddress(inside)} ${formatSocketAddress(peer)}`;
}
