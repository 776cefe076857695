/** A packet socket: every frame that arrives at an interface, and frames sent from it past the IP stack. */

import { NodeFailure } from "../failure.ts";
import { interfaceIndex } from "../native/interface-request.ts";
import { libc } from "../native/native.ts";
import { createPacketDevice, type PacketDevice } from "../native/packet-device.ts";

export interface PacketSocket extends PacketDevice {
  /** Frames that arrived and were lost since the last call, because nobody read them in time. */
  takeOverruns(): number;
}

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const ETH_P_ALL = 0x0003;

/** `struct sockaddr_ll`: family, protocol in network order, interface index, then what only receiving fills in. */
const SOCKADDR_LL_LENGTH = 20;

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SOL_PACKET = 263;
const PACKET_STATISTICS = 6;
const PACKET_IGNORE_OUTGOING = 23;

/** `struct tpacket_stats`: frames seen and frames dropped since it was read last, 32 bits each. */
const STATISTICS_LENGTH = 8;
const DROPS_OFFSET = 4;

/** Room for about 4000 full frames: most of a second at 5000 a second. */
const BUFFER_BYTES = 8 * 1024 * 1024;

/** Opens a socket on an interface that exists. Throws `setup-failed`. */
export function openPacketSocket(interfaceName: string): PacketSocket {
  const fd = openSocket(interfaceName);
  const { getsockopt } = libc();
  return {
    ...createPacketDevice(fd),
    takeOverruns() {
      const statistics = Buffer.alloc(STATISTICS_LENGTH);
      getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, statistics, uint32(STATISTICS_LENGTH));
      return statistics.readUInt32LE(DROPS_OFFSET);
    },
  };
}

function openSocket(interfaceName: string): number {
  const { socket, bind, setsockopt, close, errno } = libc();
  const address = linkLayerAddress(interfaceIndex(interfaceName));
  // Protocol 0 until it is bound: no frame of another interface slips in.
  const fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
  const set = (level: number, option: number, value: number): boolean =>
    setsockopt(fd, level, option, uint32(value), 4) === 0;
  const isOpen =
    fd !== -1 &&
    set(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1) &&
    // Without rights outside its own user namespace a process gets what the machine's limits allow.
    (set(SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES) || set(SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES)) &&
    (set(SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES) || set(SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES)) &&
    bind(fd, address, SOCKADDR_LL_LENGTH) === 0;
  if (isOpen) return fd;
  const code = errno();
  if (fd !== -1) close(fd);
  throw new NodeFailure("setup-failed", `the kernel refused a packet socket on ${interfaceName}: errno ${code}`);
}

function linkLayerAddress(index: number): Buffer {
  const address = Buffer.alloc(SOCKADDR_LL_LENGTH);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(ETH_P_ALL, 2);
  address.writeUInt32LE(index, 4);
  return address;
}

function uint32(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32LE(value, 0);
  return octets;
}
