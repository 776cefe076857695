/** How the datagrams of a UDP socket pass between the kernel and this process. */

import type { SocketAddress } from "../../core/address.ts";
import type { Datagram } from "../../core/machine.ts";
import { libc } from "./native.ts";

export interface DatagramPath {
  /** Receives waiting datagrams, at most `batchSize`; none if none wait. Each payload has its own memory. */
  receive(): readonly Datagram[];
  /** Most datagrams that one `receive` returns; fewer mean that no more are waiting. */
  readonly batchSize: number;
  /** Sends a datagram by the next `flush`, in order. */
  send(payload: Uint8Array, remote: SocketAddress): void;
  flush(): void;
  readonly counters: SendCounters;
}

/** Datagrams that the kernel accepted, and those it refused. */
export interface SendCounters {
  readonly "udp.sent": number;
  readonly "udp.refused": number;
}

const ENOBUFS = 105;

/**
 * Makes a send call, at most twice; true if it succeeded. On a socket that receives ICMP errors (IP_RECVERR) the first
 * call may fail with the error of an earlier datagram: the kernel reports that once, and sends nothing. A full device
 * queue (ENOBUFS), reported only to such sockets, counts as success: the datagram is lost on its way.
 */
export function succeeds(sendCall: () => number): boolean {
  return sendCall() >= 0 || libc().errno() === ENOBUFS || sendCall() >= 0;
}
