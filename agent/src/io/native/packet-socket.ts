/** Packet sockets (packet(7)): frames of one interface, bypassing the IP stack. */

import { interfaceIndex } from "./interface-request.ts";
import { libc } from "./native.ts";

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const ETH_P_ALL = 0x0003;

export const SOL_PACKET = 263;
const PACKET_STATISTICS = 6;

/** `struct sockaddr_ll`: family, protocol in network order, interface index, then fields used only for receiving. */
const SOCKADDR_LL_LENGTH = 20;

/** `struct tpacket_stats`: frames seen and frames dropped since the last read, 32 bits each. */
const STATISTICS_LENGTH = 8;
const DROPS_OFFSET = 4;

/** Creates a socket that receives nothing until it is bound; -1 on failure. */
export function createPacketSocket(): number {
  return libc().socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/** Receives the frames of an interface from now on; false on failure. */
export function bindPacketSocket(fd: number, interfaceName: string): boolean {
  const name = Buffer.alloc(SOCKADDR_LL_LENGTH);
  name.writeUInt16LE(AF_PACKET, 0);
  name.writeUInt16BE(ETH_P_ALL, 2);
  name.writeUInt32LE(interfaceIndex(interfaceName), 4);
  return libc().bind(fd, name, name.length) === 0;
}

/** Frames that the kernel dropped since the last call because the socket's buffer was full. */
export function takePacketDrops(fd: number): number {
  const statistics = Buffer.alloc(STATISTICS_LENGTH);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(STATISTICS_LENGTH);
  libc().getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, statistics, length);
  return statistics.readUInt32LE(DROPS_OFFSET);
}
