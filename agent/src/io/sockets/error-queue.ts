/** What ICMP says about datagrams of a socket, which the kernel queues apart from what arrives. */

import { familyOf, type SocketAddress } from "../../core/address.ts";
import type { RefusedDatagram } from "../../core/refusal.ts";
import { MESSAGE_HEADER } from "../native/message-header.ts";
import { libc } from "../native/native.ts";
import { SOCKADDR_BYTES } from "../native/socket-address.ts";
import { decodeIcmpError, RECEIVE_ERRORS } from "./icmp-error.ts";

const MSG_ERRQUEUE = 0x2000;

/** `struct cmsghdr`, `struct sock_extended_err` and `struct sockaddr_in6`, with room for one that nobody asked for. */
const CONTROL_BYTES = 128;

/** Taken at one wake-up; the next one takes what is left. */
const MOST_AT_ONCE = 64;

/** Asks the kernel to queue what ICMP says; false where it cannot. From now on it also fails the call that comes next, once. */
export function hearErrors(fd: number, { ip }: SocketAddress): boolean {
  const on = Buffer.alloc(4);
  on.writeInt32LE(1);
  const { level, option } = RECEIVE_ERRORS[familyOf(ip)];
  return libc().setsockopt(fd, level, option, on, on.length) === 0;
}

/** Takes what waits on the error queue of a socket. */
export function takeRefusals(fd: number, local: SocketAddress): readonly RefusedDatagram[] {
  const { recvmsg, addressOf } = libc();
  const name = Buffer.alloc(SOCKADDR_BYTES);
  const control = Buffer.alloc(CONTROL_BYTES);
  const header = Buffer.alloc(MESSAGE_HEADER.bytes);
  header.writeBigUInt64LE(addressOf(name), MESSAGE_HEADER.nameAt);
  header.writeBigUInt64LE(addressOf(control), MESSAGE_HEADER.controlAt);
  const refusals: RefusedDatagram[] = [];
  for (let i = 0; i < MOST_AT_ONCE; i += 1) {
    header.writeUInt32LE(name.length, MESSAGE_HEADER.nameLengthAt);
    header.writeUInt32LE(control.length, MESSAGE_HEADER.controlLengthAt);
    if (recvmsg(fd, header, MSG_ERRQUEUE) < 0) break;
    const refusal = decodeIcmpError(
      name.subarray(0, header.readUInt32LE(MESSAGE_HEADER.nameLengthAt)),
      control.subarray(0, header.readUInt32LE(MESSAGE_HEADER.controlLengthAt)),
    );
    if (refusal !== undefined) refusals.push({ local, ...refusal });
  }
  return refusals;
}
