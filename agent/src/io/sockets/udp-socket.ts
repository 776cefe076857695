/**
 * UDP sockets of a node, one per local address, never connected. They use the kernel's calls instead of `node:dgram`,
 * which does not report ICMP errors.
 */

import { getSystemErrorName } from "node:util";
import { familyOf, formatSocketAddress, type SocketAddress } from "../../core/address.ts";
import type { Datagram } from "../../core/machine.ts";
import type { RefusedDatagram } from "../../core/refusal.ts";
import { NodeFailure } from "../failure.ts";
import { createBatchPath } from "../fast-path/datagrams/batch-path.ts";
import { libc } from "../native/native.ts";
import { addressFamily, decodeSocketAddress, encodeSocketAddress, SOCKADDR_BYTES } from "../native/socket-address.ts";
import { receiveErrors, takeRefusals } from "./error-queue.ts";
import { createPlainPath } from "./plain-path.ts";

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

const READABLE = { readable: true } as const;

/** Socket buffer in each direction; without privileges, limited by rmem_max and wmem_max. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** Datagrams received per wake-up before timers and other sockets get their turn. */
const DATAGRAMS_PER_WAKE = 256;

export interface UdpSocket {
  readonly local: SocketAddress;
  /** Sends a payload. A refusal by the kernel (no route, a firewall rule, no buffer) is counted and not an error. */
  send(payload: Uint8Array, remote: SocketAddress): void;
  /** Sends a payload by the next `flush`. */
  queue(payload: Uint8Array, remote: SocketAddress): void;
  flush(): void;
  counters(): Readonly<Record<string, number>>;
  close(): void;
}

/** Receives datagrams, one or many. */
export type DatagramSink = (datagrams: readonly Datagram[]) => void;

/** Receives ICMP errors about datagrams that were sent. */
export type RefusalSink = (refusals: readonly RefusedDatagram[]) => void;

/**
 * Opens a socket on an address of this node; port 0 lets the kernel choose. Without `onRefusals` the socket receives no
 * ICMP errors. Throws `socket-failed`.
 */
export function openUdpSocket(local: SocketAddress, onDatagrams: DatagramSink, onRefusals?: RefusalSink): UdpSocket {
  const { poll, close } = libc();
  const fd = openSocket(local, onRefusals !== undefined);
  const bound = nameOf(fd, local);
  const path = createBatchPath(fd, bound) ?? createPlainPath(fd, bound);
  const counters = { "udp.received": 0, "udp.refused-by-icmp": 0 };
  let isClosed = false;

  const takeDatagrams = (): void => {
    for (let taken = 0; taken < DATAGRAMS_PER_WAKE && !isClosed; ) {
      const datagrams = path.receive();
      if (datagrams.length === 0) return;
      taken += datagrams.length;
      counters["udp.received"] += datagrams.length;
      onDatagrams(datagrams);
      // Datagrams that have arrived since cause another wake-up.
      if (datagrams.length < path.batchSize) return;
    }
  };
  const takeErrors = (): void => {
    const refusals = takeRefusals(fd, bound);
    counters["udp.refused-by-icmp"] += refusals.length;
    if (refusals.length > 0) onRefusals?.(refusals);
  };
  const onWake = (status: number): void => {
    if (status < 0) {
      takeErrors();
      if (!isClosed) watch.start(READABLE, onWake);
    }
    // After an error as well: an error that the kernel had no room to queue is cleared by the next call on the socket.
    takeDatagrams();
  };
  const watch = poll(fd, READABLE, onWake);
  return {
    local: bound,
    send(payload, remote) {
      path.send(payload, remote);
      path.flush();
    },
    queue: (payload, remote) => path.send(payload, remote),
    flush: () => path.flush(),
    counters: () => ({ ...counters, ...path.counters }),
    close() {
      if (isClosed) return;
      isClosed = true;
      watch.close();
      close(fd);
    },
  };
}

function openSocket(local: SocketAddress, receivesErrors: boolean): number {
  const { socket, bind, setsockopt, close, errno } = libc();
  const family = familyOf(local.ip);
  const fd = socket(addressFamily(family), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const set = (level: number, option: number, value: number): boolean => {
    const octets = Buffer.alloc(4);
    octets.writeInt32LE(value);
    return setsockopt(fd, level, option, octets, octets.length) === 0;
  };
  const name = encodeSocketAddress(local);
  const isOpen =
    fd !== -1 &&
    (family === 4 || set(IPPROTO_IPV6, IPV6_V6ONLY, 1)) &&
    (!receivesErrors || receiveErrors(fd, local)) &&
    bind(fd, name, name.length) === 0;
  if (!isOpen) {
    const reason = getSystemErrorName(-errno());
    if (fd !== -1) close(fd);
    throw new NodeFailure("socket-failed", `cannot open UDP ${formatSocketAddress(local)}: ${reason}`);
  }
  if (!set(SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)) set(SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
  if (!set(SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES)) set(SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);
  return fd;
}

/** The local address with the port that the kernel chose. */
function nameOf(fd: number, { ip, port }: SocketAddress): SocketAddress {
  if (port !== 0) return { ip, port };
  const name = Buffer.alloc(SOCKADDR_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(SOCKADDR_BYTES);
  libc().getsockname(fd, name, length);
  return { ip, port: decodeSocketAddress(name).port };
}
