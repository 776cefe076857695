/** How the datagrams of a UDP socket pass between the kernel and this process. */

import type { SocketAddress } from "../../core/address.ts";
import type { Datagram } from "../../core/machine.ts";
import { libc } from "./native.ts";

export interface DatagramPath {
  /** Takes datagrams that have arrived, at most `batchSize` of them; none when none wait. Each payload has memory of its own. */
  receive(): readonly Datagram[];
  /** Most datagrams that one `receive` returns; fewer mean that no more wait. */
  readonly batchSize: number;
  /** Sends a datagram by the next `flush`, in order. */
  send(payload: Uint8Array, remote: SocketAddress): void;
  flush(): void;
  readonly counters: SendCounters;
}

/** Datagrams that the kernel took, and those that it would not take. */
export interface SendCounters {
  readonly "udp.sent": number;
  readonly "udp.refused": number;
}

const ENOBUFS = 105;

/**
 * Whether a send call succeeds, at the second attempt at the latest. On a socket that receives ICMP errors (IP_RECVERR)
 * the first may fail with the error of an earlier datagram: the kernel reports that once, and sends nothing. A full
 * device queue (ENOBUFS), reported to such sockets only, counts as sent: the datagram is lost on its way.
 */
export function succeeds(sendCall: () => number): boolean {
  return sendCall() >= 0 || libc().errno() === ENOBUFS || sendCall() >= 0;
}
