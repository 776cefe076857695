/** The tunnel to the home agent: IPv6 packets in UDP 4191 from one of the node's sockets (RFC 5555; SPEC 4.2). */

import { familyOf, type SocketAddress, sameSocketAddress } from "../../address.ts";
import type { Transmit } from "../../machine.ts";
import { encodeUdpInIpv6 } from "../../mip6/udp-in-ipv6.ts";
import type { Outbox } from "../../node/outbox.ts";

/** A socket, and the address of the home agent that it reaches. */
interface TunnelEnds {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

export interface ReverseTunnel {
  /** The current ends; undefined while no socket can reach the home agent. */
  readonly ends: TunnelEnds | undefined;
  /** Replaces the sockets, best first: the first one of an IP version of the home agent carries the tunnel. */
  useSockets(sockets: readonly SocketAddress[]): void;
  /** Switches to the other IP version; false when there is only one. */
  tryNext(): boolean;
  /** True when this is an address of the home agent. */
  isHomeAgent(remote: SocketAddress): boolean;
  /** Sends an inner IPv6 packet to the home agent. */
  send(packet: Uint8Array): void;
  /** Sends a datagram whose source is the home address: a check on a relayed pair. */
  sendDatagram(transmit: Transmit): void;
}

export function createReverseTunnel(homeAgent: readonly SocketAddress[], outbox: Outbox): ReverseTunnel {
  let choices: readonly TunnelEnds[] = [];
  let current = 0;

  const send = (packet: Uint8Array): void => {
    const ends = choices[current];
    if (ends === undefined) outbox.count("dropped.no-tunnel");
    else outbox.transmit({ local: ends.local, remote: ends.remote, payload: packet });
  };
  return {
    get ends() {
      return choices[current];
    },
    useSockets(sockets) {
      choices = choicesOf(sockets, homeAgent);
      current = 0;
    },
    tryNext() {
      current = choices.length === 0 ? 0 : (current + 1) % choices.length;
      return choices.length > 1;
    },
    isHomeAgent: (remote) => homeAgent.some((address) => sameSocketAddress(address, remote)),
    send,
    sendDatagram: ({ local, remote, payload }) =>
      send(encodeUdpInIpv6({ source: local, destination: remote, payload })),
  };
}

/** For each address of the home agent the best socket of its IP version, in the order of the sockets. */
function choicesOf(sockets: readonly SocketAddress[], homeAgent: readonly SocketAddress[]): TunnelEnds[] {
  const reachable = homeAgent.flatMap((remote) => {
    const rank = sockets.findIndex(({ ip }) => familyOf(ip) === familyOf(remote.ip));
    const local = sockets[rank];
    return local === undefined ? [] : [{ rank, ends: { local, remote } }];
  });
  return reachable.toSorted((a, b) => a.rank - b.rank).map(({ ends }) => ends);
}
