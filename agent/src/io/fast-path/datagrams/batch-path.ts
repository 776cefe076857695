/** Many datagrams per system call: `recvmmsg` to receive, `sendmsg` with UDP_SEGMENT to send. */

import type { SocketAddress } from "../../../core/address.ts";
import type { DatagramPath } from "../../native/datagram-path.ts";
import { libc } from "../../native/native.ts";
import { isFastPathEnabled } from "../is-enabled.ts";
import { receiveRing, SLOTS } from "./receive-ring.ts";
import { createSendQueue } from "./send-queue.ts";
import { SOL_UDP, UDP_SEGMENT } from "./udp-segment.ts";

/** Undefined where the fast path is off, or the kernel is older than UDP_SEGMENT (Linux 4.18). */
export function createBatchPath(fd: number, local: SocketAddress): DatagramPath | undefined {
  if (!isFastPathEnabled() || !hasUdpSegment(fd)) return undefined;
  const ring = receiveRing();
  const queue = createSendQueue(fd);
  return {
    receive: () => ring.take(fd, local),
    batchSize: SLOTS,
    send: (payload, remote) => queue.push(payload, remote),
    flush: () => queue.flush(),
    counters: queue.counters,
  };
}

function hasUdpSegment(fd: number): boolean {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(4);
  return libc().getsockopt(fd, SOL_UDP, UDP_SEGMENT, Buffer.alloc(4), length) === 0;
}
