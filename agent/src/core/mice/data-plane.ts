/**
 * The packets of a node, told apart by a few octets and never copied: from the TUN device to the selected pair or the
 * home agent, and from there to the TUN device (digest 8.6, last paragraph).
 */

import type { SocketAddress } from "../address.ts";
import type { InstantMs } from "../machine.ts";
import { addressKey, destinationKey, isCompleteIpv6, NEXT_HEADER, sourceKey } from "../mip6/ipv6-packet.ts";
import { HOME_WAY, type PacketWay } from "./mobility-link.ts";
import type { Outbox } from "./outbox.ts";
import type { ReverseTunnel } from "./reverse-tunnel.ts";
import type { SessionTable } from "./session-table.ts";

/** Where packets go that are no data. */
export interface ControlPlane {
  /** A packet whose first header may lead to a Mobility Header; false when it is data after all. */
  readonly handleMobility: (now: InstantMs, packet: Uint8Array, way: PacketWay) => boolean;
  /** A UDP packet from the tunnel to the port of the relayed candidate; false when it is data after all. */
  readonly handleRelayed: (now: InstantMs, packet: Uint8Array) => boolean;
}

export interface DataPlane {
  /** A packet that the kernel routed into the TUN device. */
  fromTun(now: InstantMs, packet: Uint8Array): void;
  /** A whole IPv6 packet that came in UDP. */
  fromWire(now: InstantMs, packet: Uint8Array, local: SocketAddress, remote: SocketAddress): void;
}

/** Octet offsets in an IPv6 packet without extension headers. */
const NEXT_HEADER_AT = 6;
const UDP_DESTINATION_PORT_AT = 42;

export function createDataPlane(
  homeAddress: string,
  parts: {
    readonly outbox: Outbox;
    readonly tunnel: ReverseTunnel;
    readonly sessions: SessionTable;
    readonly control: ControlPlane;
  },
): DataPlane {
  const { outbox, tunnel, sessions, control } = parts;
  const homeKey = addressKey(homeAddress);

  const fromHomeAgent = (now: InstantMs, packet: Uint8Array): void => {
    const nextHeader = packet[NEXT_HEADER_AT];
    if (isControl(nextHeader) && control.handleMobility(now, packet, HOME_WAY)) return;
    if (
      nextHeader === NEXT_HEADER.udp &&
      isToPort(packet, tunnel.ends?.local.port) &&
      control.handleRelayed(now, packet)
    )
      return;
    outbox.count("data.received-home");
    outbox.toTun(packet);
  };
  const fromPeer = (now: InstantMs, packet: Uint8Array, local: SocketAddress, remote: SocketAddress): void => {
    if (sessions.find(sourceKey(packet))?.acceptsDataFrom(local, remote) !== true)
      return outbox.count("dropped.data-from-stranger");
    if (isControl(packet[NEXT_HEADER_AT]) && control.handleMobility(now, packet, { type: "pair", local, remote }))
      return;
    outbox.count("data.received-direct");
    outbox.toTun(packet);
  };
  return {
    fromTun(now, packet) {
      if (!isCompleteIpv6(packet)) return outbox.count("dropped.tun-not-ipv6");
      if (sourceKey(packet) !== homeKey) return outbox.count("dropped.tun-foreign-source");
      const session = sessions.find(destinationKey(packet));
      const route = session?.route;
      if (session === undefined || route === undefined) {
        outbox.count("data.sent-home");
        return tunnel.send(packet);
      }
      outbox.count("data.sent-direct");
      outbox.transmit({ local: route.local, remote: route.remote, payload: packet });
      session.noteDataSent(now);
    },
    fromWire(now, packet, local, remote) {
      if (destinationKey(packet) !== homeKey) return outbox.count("dropped.not-home-address");
      if (tunnel.isHomeAgent(remote)) fromHomeAgent(now, packet);
      else fromPeer(now, packet, local, remote);
    },
  };
}

/** Mobility Headers, and extension headers that one may follow. */
function isControl(nextHeader: number | undefined): boolean {
  return nextHeader === NEXT_HEADER.mobility || nextHeader === NEXT_HEADER.destinationOptions;
}

function isToPort(packet: Uint8Array, port: number | undefined): boolean {
  const destinationPort = ((packet[UDP_DESTINATION_PORT_AT] ?? 0) << 8) | (packet[UDP_DESTINATION_PORT_AT + 1] ?? 0);
  return destinationPort === port;
}
