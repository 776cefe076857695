/** Virtual interfaces whose packets this process gets and gives: TUN for IPv6 packets, TAP for Ethernet frames. */

import { closeSync, constants, openSync } from "node:fs";
import { NodeFailure } from "./failure.ts";
import { libc } from "./native.ts";
import { createPacketDevice, type PacketDevice } from "./packet-device.ts";
import { TUN_NAME } from "./tun-name.ts";

const TUNSETIFF = 0x400454ca;
const IFF_TUN = 0x0001;
const IFF_TAP = 0x0002;
/** Packets come without the four octets of packet information. */
const IFF_NO_PI = 0x1000;
const IFREQ_LENGTH = 40;
const IFREQ_FLAGS_OFFSET = 16;

/** The TUN device of a node, which carries IPv6 packets between the kernel and the node's machine. */
export interface TunDevice extends Omit<PacketDevice, "counters"> {
  counters(): Readonly<Record<string, number>>;
}

/**
 * Creates the node's TUN device in this process's network namespace; addresses and state are the network plan's. Throws
 * `tun-failed`.
 */
export function openTun(): TunDevice {
  const device = createPacketDevice(createInterface(TUN_NAME, IFF_TUN));
  const counters = (): Readonly<Record<string, number>> => {
    const { read, written, refused } = device.counters();
    return { "tun.read": read, "tun.written": written, "tun.refused": refused };
  };
  return { ...device, counters };
}

/** Creates a TAP device of this name, down and without addresses. Throws `tun-failed`. */
export function openTap(name: string): PacketDevice {
  return createPacketDevice(createInterface(name, IFF_TAP));
}

function createInterface(name: string, kind: number): number {
  const fd = openDevice();
  const request = Buffer.alloc(IFREQ_LENGTH);
  request.write(name, "latin1");
  request.writeUInt16LE(kind | IFF_NO_PI, IFREQ_FLAGS_OFFSET);
  const { ioctl, errno } = libc();
  if (ioctl(fd, TUNSETIFF, request) === -1) {
    const code = errno();
    closeSync(fd);
    throw new NodeFailure("tun-failed", `the kernel refused the TUN device ${name}: errno ${code}`);
  }
  return fd;
}

function openDevice(): number {
  try {
    return openSync("/dev/net/tun", constants.O_RDWR | constants.O_NONBLOCK);
  } catch (cause) {
    const message = "expected /dev/net/tun in the node; give the container that device, and the kernel its tun module";
    throw new NodeFailure("tun-failed", message, { cause });
  }
}
