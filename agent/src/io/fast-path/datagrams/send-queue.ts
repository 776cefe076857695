/**
 * Datagrams of one socket, gathered into runs: consecutive ones to one address and of one length (the last may be
 * shorter) are sent by one `sendmsg`, and the kernel splits them (UDP_SEGMENT, Linux 4.18). On a link they are the same
 * as if sent one by one.
 */

import { type SocketAddress, sameSocketAddress } from "../../../core/address.ts";
import { type SendCounters, succeeds } from "../../native/datagram-path.ts";
import { MESSAGE_HEADER } from "../../native/message-header.ts";
import { libc } from "../../native/native.ts";
import { encodeSocketAddress } from "../../native/socket-address.ts";
import { SOL_UDP, UDP_SEGMENT } from "./udp-segment.ts";

/** Most datagrams per call that every kernel with UDP_SEGMENT supports, and most octets. */
const MAX_RUN = 64;
const MAX_RUN_BYTES = 65_000;

/** More than the longest UDP payload; the kernel refuses longer ones. */
const MEMORY_BYTES = 65_536;

/** `struct cmsghdr` with 16 bits of data, padded. */
const CONTROL_BYTES = 24;
const CONTROL_USED_BYTES = 18;

/** Errors of a device or socket for which the kernel cannot split datagrams. */
const EIO = 5;
const EINVAL = 22;

export interface SendQueue {
  /** Copies a payload; may send earlier ones. */
  push(payload: Uint8Array, remote: SocketAddress): void;
  /** Sends what is queued. */
  flush(): void;
  readonly counters: SendCounters;
}

export function createSendQueue(fd: number): SendQueue {
  const { errno } = libc();
  const memory = Buffer.allocUnsafeSlow(MEMORY_BYTES);
  const message = createMessage(fd, memory);
  const counters = { "udp.sent": 0, "udp.refused": 0 };
  let remote: SocketAddress | undefined;
  let size = 0;
  let length = 0;
  let count = 0;
  let isFull = false;
  let canSegment = true;

  const flush = (): void => {
    if (count === 0) return;
    if (count === 1 || canSegment) sendRun();
    else sendEach();
    count = 0;
    length = 0;
  };
  const sendRun = (): void => {
    if (message.send(0, length, count === 1 ? 0 : size)) counters["udp.sent"] += count;
    else if (count === 1) counters["udp.refused"] += 1;
    else {
      if (errno() === EIO || errno() === EINVAL) canSegment = false;
      sendEach();
    }
  };
  const sendEach = (): void => {
    for (let at = 0; at < length; at += size) {
      const isSent = message.send(at, Math.min(size, length - at), 0);
      counters[isSent ? "udp.sent" : "udp.refused"] += 1;
    }
  };
  const hasRoomFor = (payload: Uint8Array, to: SocketAddress): boolean =>
    count > 0 &&
    !isFull &&
    payload.length <= size &&
    payload.length > 0 &&
    length + payload.length <= MAX_RUN_BYTES &&
    remote !== undefined &&
    (to === remote || sameSocketAddress(to, remote));

  return {
    push(payload, to) {
      if (!hasRoomFor(payload, to)) {
        flush();
        if (remote === undefined || !sameSocketAddress(to, remote)) message.address(encodeSocketAddress(to));
        remote = to;
        size = payload.length;
      }
      // A payload longer than the buffer is longer than UDP allows: the kernel refuses the truncated rest.
      memory.set(payload.subarray(0, memory.length), length);
      length += payload.length;
      count += 1;
      isFull = payload.length < size || count === MAX_RUN;
    },
    flush,
    counters,
  };
}

interface Message {
  address(octets: Uint8Array): void;
  /** Sends octets of the buffer, split into `segment` octets each unless that is 0. False where the kernel refuses. */
  send(from: number, length: number, segment: number): boolean;
}

function createMessage(fd: number, memory: Buffer): Message {
  const { sendmsg, addressOf } = libc();
  const base = addressOf(memory);
  const name = Buffer.alloc(32);
  const vector = Buffer.alloc(16);
  const control = Buffer.alloc(CONTROL_BYTES);
  control.writeBigUInt64LE(BigInt(CONTROL_USED_BYTES), 0);
  control.writeInt32LE(SOL_UDP, 8);
  control.writeInt32LE(UDP_SEGMENT, 12);
  const header = Buffer.alloc(MESSAGE_HEADER.bytes);
  header.writeBigUInt64LE(addressOf(name), MESSAGE_HEADER.nameAt);
  header.writeBigUInt64LE(addressOf(vector), MESSAGE_HEADER.vectorsAt);
  header.writeBigUInt64LE(1n, MESSAGE_HEADER.vectorCountAt);
  header.writeBigUInt64LE(addressOf(control), MESSAGE_HEADER.controlAt);
  const sendCall = (): number => sendmsg(fd, header, 0);
  return {
    address(octets) {
      name.set(octets);
      header.writeUInt32LE(octets.length, MESSAGE_HEADER.nameLengthAt);
    },
    send(from, length, segment) {
      vector.writeBigUInt64LE(base + BigInt(from), 0);
      vector.writeUInt32LE(length, 8);
      control.writeUInt16LE(segment, 16);
      header.writeUInt32LE(segment === 0 ? 0 : CONTROL_BYTES, MESSAGE_HEADER.controlLengthAt);
      return succeeds(sendCall);
    },
  };
}
