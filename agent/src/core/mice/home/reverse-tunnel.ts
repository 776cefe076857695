/** The tunnel to the home agent: IPv6 packets in UDP 4191 from one of the node's sockets (RFC 5555; SPEC 4.2). */

import { familyOf, type SocketAddress, sameSocketAddress } from "../../address.ts";
import { addressOf, type LocalSocket, reaches } from "../../local-socket.ts";
import type { Transmit } from "../../machine.ts";
import { encodeUdpInIpv6 } from "../../mip6/udp-in-ipv6.ts";
import type { Outbox } from "../../node/outbox.ts";

/** A way of the tunnel: a socket of the node, and an address of the home agent that it reaches. */
export interface TunnelWay {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

export interface ReverseTunnel {
  /** The way that packets take; undefined while no socket can reach the home agent. */
  way: TunnelWay | undefined;
  /** True when this is an address of the home agent. */
  isHomeAgent(remote: SocketAddress): boolean;
  /** Sends an inner IPv6 packet to the home agent, by the tunnel's way unless another one is named. */
  send(packet: Uint8Array, by?: TunnelWay): void;
  /** Sends a datagram whose source is the home address: a check on a relayed pair. */
  sendDatagram(transmit: Transmit): void;
}

/** Makes a tunnel without a way. */
export function createReverseTunnel(homeAgent: readonly SocketAddress[], outbox: Outbox): ReverseTunnel {
  const tunnel: ReverseTunnel = {
    way: undefined,
    isHomeAgent: (remote) => homeAgent.some((address) => sameSocketAddress(address, remote)),
    send(packet, by = tunnel.way) {
      if (by === undefined) outbox.count("dropped.no-tunnel");
      else outbox.transmit({ local: by.local, remote: by.remote, payload: packet });
    },
    sendDatagram: ({ local, remote, payload }) =>
      tunnel.send(encodeUdpInIpv6({ source: local, destination: remote, payload })),
  };
  return tunnel;
}

/** Every socket with every address of the home agent to which it has a route, in the order of the sockets. */
export function tunnelWays(sockets: readonly LocalSocket[], homeAgent: readonly SocketAddress[]): readonly TunnelWay[] {
  return sockets.flatMap((socket) =>
    homeAgent
      .filter(({ ip }) => familyOf(ip) === familyOf(socket.ip) && reaches(socket, ip))
      .map((remote) => ({ local: addressOf(socket), remote })),
  );
}
