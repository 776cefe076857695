/** The UDP sockets of a protocol machine, which change when the node moves. */

import type { NodeSetup } from "../../control/messages.ts";
import { formatSocketAddress, type SocketAddress, sameSocketAddress } from "../../core/address.ts";
import type { Transmit } from "../../core/machine.ts";
import { socketsOn } from "./open-socket.ts";
import type { DatagramSink, RefusalSink, UdpSocket } from "./udp-socket.ts";

export interface SocketSet {
  /** Opens those of the sockets that are not open yet. Throws `socket-failed`. */
  open(wanted: readonly SocketAddress[]): void;
  closeAllBut(wanted: readonly SocketAddress[]): void;
  /** Queues a datagram, which leaves with the next `flush`. */
  send(transmit: Transmit): void;
  flush(): void;
  /** Of all sockets, including closed ones. */
  counters(): readonly Readonly<Record<string, number>>[];
}

/** Creates a set with no open socket, for a node with these interfaces. */
export function createSocketSet(
  { interfaces }: Pick<NodeSetup, "interfaces">,
  onDatagrams: DatagramSink,
  onRefusals: RefusalSink | undefined,
): SocketSet {
  const openSocket = socketsOn(interfaces);
  const sockets = new Map<string, UdpSocket>();
  const closed: UdpSocket[] = [];
  /** A search by comparison: sockets are few and packets many, so no key is built for each packet. */
  const find = (local: SocketAddress): UdpSocket | undefined => {
    for (const socket of sockets.values()) if (sameSocketAddress(socket.local, local)) return socket;
    return undefined;
  };
  return {
    open(wanted) {
      for (const address of wanted) {
        const name = formatSocketAddress(address);
        if (!sockets.has(name)) sockets.set(name, openSocket(address, onDatagrams, onRefusals));
      }
    },
    closeAllBut(wanted) {
      const names = new Set(wanted.map(formatSocketAddress));
      for (const [name, socket] of sockets) {
        if (names.has(name)) continue;
        socket.close();
        sockets.delete(name);
        closed.push(socket);
      }
    },
    send({ local, remote, payload }) {
      const socket = find(local);
      if (socket === undefined)
        throw new Error(`the machine sends from ${formatSocketAddress(local)}, which is no socket`);
      socket.queue(payload, remote);
    },
    flush() {
      for (const socket of sockets.values()) socket.flush();
    },
    counters: () => [...closed, ...sockets.values()].map((socket) => socket.counters()),
  };
}
