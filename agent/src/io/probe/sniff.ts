/**
 * Marked datagrams that test what a NAT or firewall lets in: one node sends them, another one reports which of them
 * arrive. A raw socket receives a copy of every datagram to the node, including those to ports that are open; TCP needs
 * nobody who listens.
 */

import { getSystemErrorName } from "node:util";
import type { AgentCommand, HeardDatagram, SocketProtocol } from "../../control/messages.ts";
import { type Family, familyOf } from "../../core/address.ts";
import { encodeMarkedSyn, TCP_PROTOCOL, tcpHeaderBytes } from "../../core/nat-probe/marked-syn.ts";
import { NodeFailure } from "../failure.ts";
import { libc } from "../native/native.ts";
import { createPacketDevice } from "../native/packet-device.ts";
import { addressFamily, encodeSocketAddress } from "../native/socket-address.ts";
import type { OpenSocket } from "../sockets/open-socket.ts";

type Command<Type> = Extract<AgentCommand, { readonly type: Type }>;

/** Sends each mark as one datagram, in order, from one socket. Throws `socket-failed`. */
export function sendMarks(openSocket: OpenSocket, command: Command<"send-marks">): void {
  const { protocol, local, marks } = command;
  if (protocol === "tcp") {
    sendMarkedSyns(command);
    return;
  }
  const socket = openSocket({ ip: local, port: 0 }, () => undefined);
  try {
    for (const { to, mark } of marks) socket.send(Buffer.from(mark, "hex"), to);
  } finally {
    socket.close();
  }
}

/** The source port of SYNs: any that nothing else uses. */
const SYN_PORT = 60_999;

/** A SYN again from the same port is the same flow for a NAT, and goes the same way. */
function sendMarkedSyns({ local, marks }: Command<"send-marks">): void {
  const fd = openRawSocket(local, "tcp");
  const { sendto, close } = libc();
  for (const { to, mark } of marks) {
    const segment = encodeMarkedSyn({ ip: local, port: SYN_PORT }, to, Buffer.from(mark, "hex"));
    const name = encodeSocketAddress(to);
    // One that cannot be sent is one that does not arrive: it is sent again.
    sendto(fd, segment, segment.length, 0, name, name.length);
  }
  close(fd);
}

/** Listens until the awaited mark arrives or the time is up; returns every mark received. Throws `socket-failed`. */
export async function sniff({
  protocol,
  local,
  marks,
  awaited,
  waitMs,
}: Command<"sniff">): Promise<readonly HeardDatagram[]> {
  const heard: HeardDatagram[] = [];
  const family = familyOf(local);
  const socket = createPacketDevice(openRawSocket(local, protocol));
  await new Promise<void>((resolve) => {
    // Node runs timers before it polls sockets: on a busy machine a datagram may have arrived when the timer fires.
    const timer = setTimeout(() => setImmediate(resolve), waitMs);
    socket.listen((packet) => {
      const datagram = readMarked(packet, { protocol, family, marks });
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

/**
 * A packet's mark and destination port. A raw socket delivers IPv4 packets whole, IPv6 ones from the header of UDP or TCP
 * on.
 */
export function readMarked(
  packet: Uint8Array,
  {
    protocol,
    family,
    marks,
  }: { readonly protocol: SocketProtocol; readonly family: Family; readonly marks: readonly string[] },
): HeardDatagram | undefined {
  const headerBytes = family === 6 ? 0 : ((packet[0] ?? 0) & 0x0f) * 4;
  if (family === 4 && headerBytes < IPV4_MIN_BYTES) return undefined;
  const datagram = Buffer.from(packet.subarray(headerBytes));
  const payloadAt = protocol === "udp" ? UDP_HEADER_BYTES : tcpHeaderBytes(datagram);
  if (payloadAt === undefined || datagram.length < payloadAt) return undefined;
  const payload = datagram.toString("hex", payloadAt);
  const mark = marks.find((candidate) => candidate === payload);
  return mark === undefined ? undefined : { mark, port: datagram.readUInt16BE(2) };
}

const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const PROTOCOL_NUMBERS: Readonly<Record<SocketProtocol, number>> = { udp: 17, tcp: TCP_PROTOCOL };

/** A raw socket that receives every datagram of a protocol to a local address. */
function openRawSocket(local: string, protocol: SocketProtocol): number {
  const { socket, bind, close, errno } = libc();
  const fd = socket(
    addressFamily(familyOf(local)),
    SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
    PROTOCOL_NUMBERS[protocol],
  );
  const name = encodeSocketAddress({ ip: local, port: 0 });
  if (fd !== -1 && bind(fd, name, name.length) === 0) return fd;
  const reason = getSystemErrorName(-errno());
  if (fd !== -1) close(fd);
  throw new NodeFailure(
    "socket-failed",
    `cannot open a raw socket for ${protocol.toUpperCase()} on ${local}: ${reason}`,
  );
}
