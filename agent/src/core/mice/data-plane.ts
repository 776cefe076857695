/**
 * The data path of a node, classified by a few octets and never copied: from the TUN device to the selected pair or the
 * home agent, and back (SPEC 8.6 "Data out" and "Data in").
 */

import { formatSocketAddress, type SocketAddress } from "../address.ts";
import type { InstantMs } from "../machine.ts";
import { createReassembly, isMobilityFragment } from "../mip6/ipv6-fragment.ts";
import { addressKey, destinationKey, isCompleteIpv6, NEXT_HEADER, sourceKey } from "../mip6/ipv6-packet.ts";
import { answerMtuProbe, mtuProbeKind } from "../mip6/mtu-probe.ts";
import { PARAMETER_PROBLEM } from "../mip6/parameter-problem.ts";
import { BASE_MTU } from "../mip6/path-mtu.ts";
import type { PathMtus } from "../mip6/path-mtus.ts";
import type { Outbox } from "../node/outbox.ts";
import type { Home } from "./home/home.ts";
import { HOME_WAY, type PacketWay } from "./session/mobility-link.ts";
import type { Session } from "./session.ts";
import type { SessionTable } from "./session-table.ts";

/** Receivers of packets that are not data. */
interface ControlPlane {
  /** A packet whose first header may lead to a Mobility Header; false when it is data after all. */
  readonly handleMobility: (now: InstantMs, packet: Uint8Array, way: PacketWay) => boolean;
  /** A UDP packet from the tunnel to the port of the relayed candidate; false when it is data after all. */
  readonly handleRelayed: (now: InstantMs, packet: Uint8Array) => boolean;
}

/** The parts of the node that packets are passed to. */
export interface DataPlaneParts {
  readonly outbox: Outbox;
  readonly home: Home;
  readonly sessions: SessionTable;
  readonly mtus: PathMtus;
  readonly control: ControlPlane;
  /**
   * Ports of a stationary node's candidate sockets; absent in a mobile node. The kernel puts Mobility Headers for a
   * stationary node into the TUN device, and checks from its sockets to a home address.
   */
  readonly nativePorts?: ReadonlySet<number>;
}

/** Octet offsets in an IPv6 packet without extension headers. */
const NEXT_HEADER_AT = 6;
const UDP_SOURCE_PORT_AT = 40;
const ICMP_TYPE_AT = 40;
const UDP_DESTINATION_PORT_AT = 42;

/** Sessions and tunnel are looked up for every packet (250 ns out, 450 ns in, measured). */
export class DataPlane {
  readonly #reassembly = createReassembly();
  readonly #homeKey: string;
  readonly #parts: DataPlaneParts;

  constructor(homeAddress: string, parts: DataPlaneParts) {
    this.#homeKey = addressKey(homeAddress);
    this.#parts = parts;
  }

  /** Takes a packet that the kernel routed into the TUN device, and returns its classification. */
  fromTun(now: InstantMs, packet: Uint8Array): "data" | "signalling" {
    const { outbox, home, nativePorts } = this.#parts;
    if (!isCompleteIpv6(packet)) outbox.count("dropped.tun-not-ipv6");
    else if (nativePorts !== undefined && destinationKey(packet) === this.#homeKey) {
      this.#fromRoutes(now, packet);
      return "signalling";
    } else if (nativePorts?.has(udpSourcePortOf(packet)) === true) home.send(packet);
    else if (sourceKey(packet) !== this.#homeKey) outbox.count("dropped.tun-foreign-source");
    else this.#sendData(now, packet);
    return "data";
  }

  /** Takes a complete IPv6 packet that arrived in UDP. */
  fromNetwork(now: InstantMs, packet: Uint8Array, local: SocketAddress, remote: SocketAddress): void {
    const { outbox, home } = this.#parts;
    if (destinationKey(packet) !== this.#homeKey) {
      outbox.count("dropped.not-home-address");
      return;
    }
    const isFromAgent = home.isAgent(remote);
    const whole = isMobilityFragment(packet)
      ? this.#reassembled(now, packet, isFromAgent ? undefined : remote)
      : packet;
    if (whole === undefined) return;
    if (isFromAgent) this.#fromHomeAgent(now, whole);
    else this.#fromPeer(now, whole, local, remote);
  }

  /** The Mobility Header that a fragment completes. `remote` is whose pair it came by; undefined for the home path. */
  #reassembled(now: InstantMs, fragment: Uint8Array, remote: SocketAddress | undefined): Uint8Array | undefined {
    return this.#reassembly.take(now, fragment, remote === undefined ? "home" : formatSocketAddress(remote));
  }

  #sendData(now: InstantMs, packet: Uint8Array): void {
    const { outbox, sessions, home } = this.#parts;
    const session = sessions.find(destinationKey(packet));
    const route = session?.route;
    outbox.count(route === undefined ? "data.sent-home" : "data.sent-direct");
    if (packet.length > BASE_MTU) this.#sendLarge(now, packet, session);
    else if (route === undefined) home.send(packet);
    else outbox.transmit({ local: route.local, remote: route.remote, payload: packet });
    if (route !== undefined) session?.noteDataSent(now);
  }

  /** The peer answers for its pair and its home path, the home agent for the tunnel to everybody else. */
  #sendLarge(now: InstantMs, packet: Uint8Array, session: Session | undefined): void {
    const { home, mtus } = this.#parts;
    const way = session?.route ?? home.tunnelWay;
    const peer = session?.peer ?? home.agentAddress;
    // Without a tunnel the packets of a stationary node are its kernel's, which also gets the answers to probes.
    if (way === undefined || peer === undefined) home.send(packet);
    else mtus.sendLarge(now, packet, { peer, way });
  }

  /** Packets that mobile nodes send to a stationary node through their home agents; data does not pass this program. */
  #fromRoutes(now: InstantMs, received: Uint8Array): void {
    const { control, outbox } = this.#parts;
    const packet = isMobilityFragment(received) ? this.#reassembled(now, received, undefined) : received;
    if (packet === undefined) return;
    if (packet[NEXT_HEADER_AT] === NEXT_HEADER.fragment) outbox.toTun(packet);
    else if (!isControl(packet) || !control.handleMobility(now, packet, HOME_WAY))
      outbox.count("dropped.tun-own-address");
  }

  #fromHomeAgent(now: InstantMs, packet: Uint8Array): void {
    const { outbox, home, control } = this.#parts;
    const nextHeader = packet[NEXT_HEADER_AT];
    const isTaken =
      (isControl(packet) && control.handleMobility(now, packet, HOME_WAY)) ||
      (nextHeader === NEXT_HEADER.udp &&
        isToPort(packet, home.tunnelWay?.local.port) &&
        control.handleRelayed(now, packet));
    if (isTaken || this.#takeMtuProbe(now, packet, (reply) => home.send(reply))) return;
    outbox.count("data.received-home");
    outbox.toTun(packet);
  }

  #fromPeer(now: InstantMs, packet: Uint8Array, local: SocketAddress, remote: SocketAddress): void {
    const { outbox, sessions, control } = this.#parts;
    const session = sessions.find(sourceKey(packet));
    const isSignalling = isControl(packet) && session?.acceptsSignallingFrom(now, local, remote) === true;
    if (isSignalling && control.handleMobility(now, packet, { type: "pair", local, remote })) return;
    if (session?.acceptsDataFrom(now, local, remote) !== true) {
      outbox.count("dropped.data-from-stranger");
      return;
    }
    if (this.#takeMtuProbe(now, packet, (payload) => outbox.transmit({ local, remote, payload }))) return;
    session.noteDataReceived(now);
    outbox.count("data.received-direct");
    outbox.toTun(packet);
  }

  /** Takes the answer to a probe of the MTU, and answers a probe by the way that it came; false for other packets. */
  #takeMtuProbe(now: InstantMs, packet: Uint8Array, answer: (packet: Uint8Array) => void): boolean {
    const kind = mtuProbeKind(packet);
    if (kind === "reply") this.#parts.mtus.handleReply(now, packet);
    else if (kind === "request") answer(answerMtuProbe(packet));
    return kind !== undefined;
  }
}

/** Mobility Headers, extension headers before one, and ICMPv6 errors about one. */
function isControl(packet: Uint8Array): boolean {
  const nextHeader = packet[NEXT_HEADER_AT];
  return (
    nextHeader === NEXT_HEADER.mobility ||
    nextHeader === NEXT_HEADER.destinationOptions ||
    (nextHeader === NEXT_HEADER.icmpv6 && packet[ICMP_TYPE_AT] === PARAMETER_PROBLEM)
  );
}

function isToPort(packet: Uint8Array, port: number | undefined): boolean {
  return u16At(packet, UDP_DESTINATION_PORT_AT) === port;
}

/** 0, which is not a port, for everything but UDP. */
function udpSourcePortOf(packet: Uint8Array): number {
  return packet[NEXT_HEADER_AT] === NEXT_HEADER.udp ? u16At(packet, UDP_SOURCE_PORT_AT) : 0;
}

function u16At(packet: Uint8Array, at: number): number {
  return ((packet[at] ?? 0) << 8) | (packet[at + 1] ?? 0);
}
