/** Virtual interfaces of this process: TUN for IPv6 packets, TAP for Ethernet frames. */

import { closeSync, constants, openSync } from "node:fs";
import { NAT64_INTERFACE } from "../../control/messages.ts";
import { NodeFailure } from "../failure.ts";
import { segmentFormat } from "../fast-path/segments/segment-format.ts";
import { libc } from "../native/native.ts";
import { createPacketDevice, type PacketDevice } from "../native/packet-device.ts";
import type { TunFormat } from "../native/tun-format.ts";
import { PLAIN_FORMAT } from "./plain-format.ts";
import { TUN_NAME } from "./tun-name.ts";

const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const IFF_TUN = 0x0001;
const IFF_TAP = 0x0002;
/** No packet information (four octets) before every packet. */
const IFF_NO_PI = 0x1000;
const IFREQ_LENGTH = 40;
const IFREQ_FLAGS_OFFSET = 16;

/**
 * Packets handled per wake-up before other work gets its turn, as many as from a socket. Reads are not counted: one
 * read returns up to 48 TCP packets but only one of anything else, which would then arrive more slowly than from
 * sockets.
 */
const PACKETS_PER_WAKE = 256;

/** The TUN device of a node, which carries packets between the kernel and the node's machine. */
export interface TunDevice {
  /** Delivers batches of whole packets from now on, to this listener instead of any earlier one. */
  listen(onPackets: (packets: readonly Uint8Array[]) => void): void;
  /** Writes a packet by the next `flush`. */
  write(packet: Uint8Array): void;
  flush(): void;
  counters(): Readonly<Record<string, number>>;
  close(): void;
}

/**
 * Creates the node's TUN device in this network namespace; the network plan sets its addresses and state. Throws
 * `tun-failed`.
 */
export function openTun(): TunDevice {
  return openTunOf(TUN_NAME, segmentFormat() ?? PLAIN_FORMAT);
}

/** The same for a NAT64, which carries packets of both IP versions one by one. */
export function openNat64Tun(): TunDevice {
  return openTunOf(NAT64_INTERFACE, PLAIN_FORMAT);
}

function openTunOf(name: string, format: TunFormat): TunDevice {
  const fd = createInterface(name, IFF_TUN | format.interfaceFlags);
  // Without offloads the kernel leaves nothing incomplete, which every format can read.
  libc().setIoctl(fd, TUNSETOFFLOAD, format.offloads);
  let waiting: Uint8Array[] = [];
  const device = createPacketDevice(fd, () => waiting.length < PACKETS_PER_WAKE);
  const writer = format.createWriter((frame, length) => device.write(frame, length));
  const counters = { "tun.read": 0, "tun.written": 0 };
  return {
    listen(onPackets) {
      // The first packets are delivered before a read finds that no more are waiting.
      let isFirst = true;
      const deliver = (): void => {
        const packets = waiting;
        waiting = [];
        counters["tun.read"] += packets.length;
        if (packets.length === 0) return;
        onPackets(packets);
      };
      device.listen(
        (frame) => {
          waiting.push(...format.packetsOf(frame));
          if (isFirst) deliver();
          isFirst = false;
        },
        () => {
          deliver();
          isFirst = true;
        },
      );
    },
    write(packet) {
      counters["tun.written"] += 1;
      writer.push(packet);
    },
    flush: () => writer.flush(),
    counters: () => ({ ...counters, "tun.refused": device.counters().refused }),
    close: () => device.close(),
  };
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
