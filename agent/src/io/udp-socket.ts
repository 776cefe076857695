/** UDP sockets of a node, one per local address, never connected. */

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { familyOf, formatSocketAddress, type SocketAddress } from "../core/address.ts";
import type { Datagram } from "../core/machine.ts";
import { NodeFailure } from "./failure.ts";

/** What the sockets ask the kernel to buffer; it grants what net.core.rmem_max and wmem_max allow. */
const BUFFER_BYTES = 4 * 1024 * 1024;

export interface UdpSocket {
  readonly local: SocketAddress;
  /** Sends a payload. What the kernel refuses (no route, a firewall rule, no buffer) is counted, never an error. */
  send(payload: Uint8Array, remote: SocketAddress): void;
  counters(): Readonly<Record<string, number>>;
  close(): void;
}

/** Opens a socket on an address of this node; port 0 lets the kernel choose. Throws `socket-failed`. */
export async function openUdpSocket(
  local: SocketAddress,
  onDatagram: (datagram: Datagram) => void,
): Promise<UdpSocket> {
  const isIpv6 = familyOf(local.ip) === 6;
  const socket = createSocket({
    type: isIpv6 ? "udp6" : "udp4",
    ipv6Only: isIpv6,
    // Addresses are numeric throughout: nothing is to be looked up, not even on the next tick.
    lookup: (address, _options, callback) => callback(null, address, isIpv6 ? 6 : 4),
  });
  const bound = await bind(socket, local);
  growBuffers(socket);
  const counters = { "udp.received": 0, "udp.sent": 0, "udp.refused": 0 };
  socket.on("message", (payload, { address, port }) => {
    counters["udp.received"] += 1;
    onDatagram({ local: bound, remote: { ip: withoutZone(address), port }, payload });
  });
  // Errors of single packets arrive here where a callback does not get them; the socket stays usable.
  socket.on("error", () => (counters["udp.refused"] += 1));
  const countOutcome = (error: Error | null): void => {
    if (error === null) counters["udp.sent"] += 1;
    else counters["udp.refused"] += 1;
  };
  return {
    local: bound,
    send: (payload, remote) => socket.send(payload, remote.port, remote.ip, countOutcome),
    counters: () => counters,
    close: () => socket.close(),
  };
}

async function bind(socket: Socket, { ip, port }: SocketAddress): Promise<SocketAddress> {
  try {
    // A lookup that answers at once lets `bind` emit before it returns.
    const listening = once(socket, "listening");
    socket.bind({ address: ip, port, exclusive: true });
    await listening;
    return { ip, port: socket.address().port };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NodeFailure("socket-failed", `cannot open UDP ${formatSocketAddress({ ip, port })}: ${reason}`, {
      cause,
    });
  }
}

function growBuffers(socket: Socket): void {
  socket.setRecvBufferSize(BUFFER_BYTES);
  socket.setSendBufferSize(BUFFER_BYTES);
}

/** `fe80::1%eth0` without its zone. */
function withoutZone(address: string): string {
  const zone = address.indexOf("%");
  return zone === -1 ? address : address.slice(0, zone);
}
