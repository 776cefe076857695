/** One datagram per call: `recvfrom` to receive, `sendto` to send. */

import type { SocketAddress } from "../../core/address.ts";
import { type DatagramPath, succeeds } from "../native/datagram-path.ts";
import { libc } from "../native/native.ts";
import { decodeSocketAddress, encodeSocketAddress, SOCKADDR_BYTES } from "../native/socket-address.ts";

/** More than the longest UDP payload. */
const MAX_PAYLOAD_BYTES = 65_536;

/** `local` is the address that the socket is bound to. */
export function createPlainPath(fd: number, local: SocketAddress): DatagramPath {
  const { recvfrom, sendto } = libc();
  const memory = Buffer.alloc(MAX_PAYLOAD_BYTES);
  const sender = Buffer.alloc(SOCKADDR_BYTES);
  const senderLength = Buffer.alloc(4);
  const counters = { "udp.sent": 0, "udp.refused": 0 };
  return {
    receive() {
      senderLength.writeUInt32LE(sender.length);
      const length = recvfrom(fd, memory, memory.length, 0, sender, senderLength);
      if (length < 0) return [];
      const payload = new Uint8Array(memory.subarray(0, length));
      return [{ local, remote: decodeSocketAddress(sender), payload }];
    },
    batchSize: 1,
    send(payload, remote) {
      const name = encodeSocketAddress(remote);
      const isSent = succeeds(() => sendto(fd, payload, payload.length, 0, name, name.length));
      counters[isSent ? "udp.sent" : "udp.refused"] += 1;
    },
    flush: () => undefined,
    counters,
  };
}
