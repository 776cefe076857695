/** The MTUs of all ways of a node's tunnels and pairs, and how large packets take them (SPEC 8.12). */

import { type SocketAddress, sameSocketAddress } from "../address.ts";
import { ByteReader } from "../bytes.ts";
import { packetTooBig } from "../icmp/too-big.ts";
import type { InstantMs, Rng } from "../machine.ts";
import { minInstant } from "../min-instant.ts";
import { sameOctets } from "../same-octets.ts";
import { fragmentsOf } from "./ipv6-fragment.ts";
import { encodeMtuProbe, TOKEN_LENGTH, tokenOf } from "./mtu-probe.ts";
import { BASE_MTU, PathMtu } from "./path-mtu.ts";

/** How packets leave: from a socket of the node to an address. */
export interface Way {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

/** A way to a peer that large packets have taken. */
interface KnownWay extends Way {
  readonly peer: string;
  readonly mtu: PathMtu;
  readonly token: Uint8Array;
}

/** Peers and ways to one of them are dropped oldest first. A home agent has at most 4096 bindings. */
const MOST_PEERS = 4096;
const MOST_WAYS_TO_ONE = 4;

export interface PathMtusParts {
  /** The node's own address, from which it probes. */
  readonly source: string;
  readonly rng: Rng;
  readonly count: (counterName: string) => void;
  /** Sends an inner packet by a way. */
  readonly send: (packet: Uint8Array, way: Way) => void;
  /** Takes the error for the sender of a packet that is too large. */
  readonly refuse: (error: Uint8Array) => void;
}

export class PathMtus {
  readonly #parts: PathMtusParts;
  readonly #ways = new Map<string, readonly KnownWay[]>();
  /** Those whose MTU is sought. */
  readonly #sought = new Set<KnownWay>();
  /** Of the latest fragmented packet; begins at random (RFC 7739). */
  #identification: number | undefined;

  constructor(parts: PathMtusParts) {
    this.#parts = parts;
  }

  /**
   * Sends a packet larger than `BASE_MTU`: whole, in fragments, or back to its sender as too large. `peer` is who
   * answers probes at the end of the way.
   */
  sendLarge(now: InstantMs, packet: Uint8Array, { peer, way }: { readonly peer: string; readonly way: Way }): void {
    const known = this.#wayTo(peer, way);
    const passage = known.mtu.passageOf(now, packet.length);
    this.#probe(now, known);
    if (passage.type === "whole") this.#parts.send(packet, way);
    else if (passage.type === "fragments")
      for (const fragment of this.fragments(packet, passage.octets)) this.#parts.send(fragment, way);
    else {
      this.#parts.count("refused.packet-too-big");
      this.#parts.refuse(packetTooBig(packet, passage.mtu));
    }
  }

  /** A packet in fragments of at most `octets`, by default such that every way carries them. */
  fragments(packet: Uint8Array, octets: number = BASE_MTU): readonly Uint8Array[] {
    if (packet.length <= octets) return [packet];
    this.#parts.count("mtu.fragmented");
    const identification = ((this.#identification ?? new ByteReader(this.#parts.rng.bytes(4)).u32()) + 1) >>> 0;
    this.#identification = identification;
    return fragmentsOf(packet, octets, identification);
  }

  /** Takes the answer to a probe. */
  handleReply(now: InstantMs, reply: Uint8Array): void {
    const token = tokenOf(reply);
    const known = [...this.#sought].find((way) => sameOctets(way.token, token));
    if (known === undefined) this.#parts.count("dropped.mtu-probe-answer");
    else {
      known.mtu.noteAnswer(now, reply.length);
      this.#noteState(known);
    }
  }

  /** The node is elsewhere: nothing is known of any way. */
  forget(): void {
    this.#ways.clear();
    this.#sought.clear();
  }

  handleTimeout(now: InstantMs): void {
    for (const known of this.#sought) this.#probe(now, known);
  }

  pollTimeout(): InstantMs | undefined {
    let next: InstantMs | undefined;
    for (const { mtu } of this.#sought) next = minInstant(next, mtu.nextAt);
    return next;
  }

  #wayTo(peer: string, { local, remote }: Way): KnownWay {
    const ways = this.#ways.get(peer) ?? [];
    const found = ways.find((way) => sameSocketAddress(way.remote, remote) && sameSocketAddress(way.local, local));
    if (found !== undefined) return found;
    const [eldest] = this.#ways.keys();
    if (ways.length === 0 && this.#ways.size >= MOST_PEERS && eldest !== undefined) this.#ways.delete(eldest);
    const known = { local, remote, peer, mtu: new PathMtu(), token: this.#parts.rng.bytes(TOKEN_LENGTH) };
    this.#ways.set(peer, [...ways, known].slice(-MOST_WAYS_TO_ONE));
    return known;
  }

  #probe(now: InstantMs, known: KnownWay): void {
    const { peer, mtu, token } = known;
    for (const octets of mtu.takeDue(now)) {
      this.#parts.count("mtu.probes-sent");
      this.#parts.send(encodeMtuProbe({ source: this.#parts.source, destination: peer, octets, token }), known);
    }
    this.#noteState(known);
  }

  #noteState(known: KnownWay): void {
    if (known.mtu.nextAt === undefined) this.#sought.delete(known);
    else this.#sought.add(known);
  }
}
