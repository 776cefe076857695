/**
 * Marked datagrams that test what a NAT or firewall lets in: one node sends them, another one reports which of them
 * arrive. A raw socket receives a copy of every UDP datagram to the node, including those to ports the protocol has
 * open.
 */

import { getSystemErrorName } from "node:util";
import type { AgentCommand, HeardDatagram } from "../../control/messages.ts";
import { type Family, familyOf } from "../../core/address.ts";
import { NodeFailure } from "../failure.ts";
import { libc } from "../native/native.ts";
import { createPacketDevice } from "../native/packet-device.ts";
import { addressFamily, encodeSocketAddress } from "../native/socket-address.ts";
import type { OpenSocket } from "../sockets/open-socket.ts";

type Command<Type> = Extract<AgentCommand, { readonly type: Type }>;

/** Sends each mark as one datagram, in order, from one socket. Throws `socket-failed`. */
export function sendMarks(openSocket: OpenSocket, { local, marks }: Command<"send-marks">): void {
  const socket = openSocket({ ip: local, port: 0 }, () => undefined);
  try {
    for (const { to, mark } of marks) socket.send(Buffer.from(mark, "hex"), to);
  } finally {
    socket.close();
  }
}

/** Listens until the awaited mark arrives or the time is up; returns every mark received. Throws `socket-failed`. */
export async function sniff({ local, marks, awaited, waitMs }: Command<"sniff">): Promise<readonly HeardDatagram[]> {
  const heard: HeardDatagram[] = [];
  const family = familyOf(local);
  const socket = createPacketDevice(openRawSocket(local));
  await new Promise<void>((resolve) => {
    // Node runs timers before it polls sockets: on a busy machine a datagram may have arrived when the timer fires.
    const timer = setTimeout(() => setImmediate(resolve), waitMs);
    socket.listen((packet) => {
      const datagram = readMarked(packet, family, marks);
      if (datagram === undefined) return;
      heard.push(datagram);
      if (datagram.mark !== awaited) return;
      clearTimeout(timer);
      resolve();
    });
  });
  socket.close();
  return heard;
}

const UDP_HEADER_BYTES = 8;
const IPV4_MIN_BYTES = 20;

/** A packet's mark and destination port. A raw socket delivers IPv4 packets whole, IPv6 ones from the UDP header on. */
export function readMarked(packet: Uint8Array, family: Family, marks: readonly string[]): HeardDatagram | undefined {
  const headerBytes = family === 6 ? 0 : ((packet[0] ?? 0) & 0x0f) * 4;
  if (family === 4 && headerBytes < IPV4_MIN_BYTES) return undefined;
  const udp = Buffer.from(packet.subarray(headerBytes));
  if (udp.length < UDP_HEADER_BYTES) return undefined;
  const payload = udp.toString("hex", UDP_HEADER_BYTES);
  const mark = marks.find((candidate) => candidate === payload);
  return mark === undefined ? undefined : { mark, port: udp.readUInt16BE(2) };
}

const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_UDP = 17;

/** A raw socket that receives every UDP datagram to a local address. */
function openRawSocket(local: string): number {
  const { socket, bind, close, errno } = libc();
  const fd = socket(addressFamily(familyOf(local)), SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
  const name = encodeSocketAddress({ ip: local, port: 0 });
  if (fd !== -1 && bind(fd, name, name.length) === 0) return fd;
  const reason = getSystemErrorName(-errno());
  if (fd !== -1) close(fd);
  throw new NodeFailure("socket-failed", `cannot listen to UDP on ${local}: ${reason}`);
}
