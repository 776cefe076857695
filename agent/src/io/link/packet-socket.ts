/**
 * The underlying side of a user-space link: receives every frame on the engine's interface, sends past the IP stack.
 */

import { NodeFailure } from "../failure.ts";
import { libc } from "../native/native.ts";
import { createPacketDevice, type PacketDevice } from "../native/packet-device.ts";
import { bindPacketSocket, createPacketSocket, SOL_PACKET, takePacketDrops } from "../native/packet-socket.ts";

export interface PacketSocket extends PacketDevice {
  /** Frames dropped since the last call because they were not read in time. */
  takeOverruns(): number;
}

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const PACKET_IGNORE_OUTGOING = 23;

/** Room for about 4000 full-sized frames: most of a second at 5000 frames a second. */
const BUFFER_BYTES = 8 * 1024 * 1024;

/** Opens a socket on an interface that exists. Throws `setup-failed`. */
export function openPacketSocket(interfaceName: string): PacketSocket {
  const fd = openSocket(interfaceName);
  return { ...createPacketDevice(fd), takeOverruns: () => takePacketDrops(fd) };
}

function openSocket(interfaceName: string): number {
  const { setsockopt, close, errno } = libc();
  const fd = createPacketSocket();
  const set = (level: number, option: number, value: number): boolean =>
    setsockopt(fd, level, option, uint32(value), 4) === 0;
  const isOpen =
    fd !== -1 &&
    set(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1) &&
    // Without privileges outside its user namespace, a process gets what the machine's limits allow.
    (set(SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES) || set(SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES)) &&
    (set(SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES) || set(SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES)) &&
    bindPacketSocket(fd, interfaceName);
  if (isOpen) return fd;
  const code = errno();
  if (fd !== -1) close(fd);
  throw new NodeFailure("setup-failed", `the kernel refused a packet socket on ${interfaceName}: errno ${code}`);
}

function uint32(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32LE(value, 0);
  return octets;
}
