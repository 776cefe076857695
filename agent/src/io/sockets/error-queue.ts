/** ICMP errors about datagrams that a socket sent. The kernel queues them separately from received datagrams. */

import { familyOf, type SocketAddress } from "../../core/address.ts";
import type { RefusedDatagram } from "../../core/refusal.ts";
import { MESSAGE_HEADER } from "../native/message-header.ts";
import { libc } from "../native/native.ts";
import { SOCKADDR_BYTES } from "../native/socket-address.ts";
import { decodeIcmpError, RECEIVE_ERRORS } from "./icmp-error.ts";

const MSG_ERRQUEUE = 0x2000;

/**
 * `struct cmsghdr`, `struct sock_extended_err` and `struct sockaddr_in6`, with room for control data of another kind.
 */
const CONTROL_BYTES = 128;

/** Errors read per wake-up; the next one reads the rest. */
const ERRORS_PER_WAKE = 64;

/**
 * Makes the kernel queue ICMP errors (IP_RECVERR); false on failure. Each error also fails the next call on the socket,
 * once.
 */
export function receiveErrors(fd: number, { ip }: SocketAddress): boolean {
  const on = Buffer.alloc(4);
  on.writeInt32LE(1);
  const { level, option } = RECEIVE_ERRORS[familyOf(ip)];
  return libc().setsockopt(fd, level, option, on, on.length) === 0;
}

/** Reads the ICMP errors in a socket's error queue. */
export function takeRefusals(fd: number, local: SocketAddress): readonly RefusedDatagram[] {
  const { recvmsg, addressOf } = libc();
  const name = Buffer.alloc(SOCKADDR_BYTES);
  const control = Buffer.alloc(CONTROL_BYTES);
  const header = Buffer.alloc(MESSAGE_HEADER.bytes);
  header.writeBigUInt64LE(addressOf(name), MESSAGE_HEADER.nameAt);
  header.writeBigUInt64LE(addressOf(control), MESSAGE_HEADER.controlAt);
  const refusals: RefusedDatagram[] = [];
  for (let i = 0; i < ERRORS_PER_WAKE; i += 1) {
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
