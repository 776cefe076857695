/**
 * The sockets of a node by its local addresses. The IPv4 address of a node in an IPv6-only network is one of IPv6 for
 * the kernel, and what is sent and received there carries synthesised addresses; nobody above notices.
 */

import type { InterfaceSetup, Nat64Access } from "../../control/messages.ts";
import type { SocketAddress } from "../../core/address.ts";
import type { Datagram } from "../../core/machine.ts";
import { createSynthesis } from "../../core/nat64/synthesis.ts";
import { type DatagramSink, openUdpSocket, type RefusalSink, type UdpSocket } from "./udp-socket.ts";

/** Opens a socket on a local address, as `openUdpSocket`. */
export type OpenSocket = typeof openUdpSocket;

/** How a node with these interfaces opens its sockets. */
export function socketsOn(interfaces: Interfaces): OpenSocket {
  return (local, onDatagrams, onRefusals) => {
    const access = accessOf(interfaces, local.ip);
    if (access === undefined) return openUdpSocket(local, onDatagrams, onRefusals);
    return openThroughNat64(access, local, onDatagrams, onRefusals);
  };
}

/** The address that the kernel has for a local one. */
export function kernelAddressOf(interfaces: Interfaces, ip: string): string {
  return accessOf(interfaces, ip)?.ipv6 ?? ip;
}

type Interfaces = readonly Pick<InterfaceSetup, "nat64">[];

function accessOf(interfaces: Interfaces, ip: string): Nat64Access | undefined {
  return interfaces.find(({ nat64 }) => nat64?.ipv4.split("/")[0] === ip)?.nat64;
}

/** Datagrams from addresses outside the prefix are no IPv4 ones, and are dropped. */
function openThroughNat64(
  { prefix, ipv6 }: Nat64Access,
  local: SocketAddress,
  onDatagrams: DatagramSink,
  onRefusals: RefusalSink | undefined,
): UdpSocket {
  const { toIpv4, toIpv6 } = createSynthesis(prefix);
  const outside = ({ ip, port }: SocketAddress): SocketAddress => ({ ip: toIpv6(ip), port });
  const translated = <T extends Omit<Datagram, "payload">>(received: T): readonly T[] => {
    const ip = toIpv4(received.remote.ip);
    if (ip === undefined) return [];
    return [
      {
        ...received,
        local: { ip: local.ip, port: received.local.port },
        remote: { ip, port: received.remote.port },
      },
    ];
  };
  const socket = openUdpSocket(
    { ip: ipv6, port: local.port },
    (datagrams) => onDatagrams(datagrams.flatMap(translated)),
    onRefusals &&
      ((refusals) =>
        onRefusals(
          refusals.flatMap(translated).map((refused) => ({ ...refused, by: toIpv4(refused.by) ?? refused.by })),
        )),
  );
  return {
    ...socket,
    local: { ip: local.ip, port: socket.local.port },
    send: (payload, remote) => socket.send(payload, outside(remote)),
    queue: (payload, remote) => socket.queue(payload, outside(remote)),
  };
}
