/** Virtual interfaces whose packets this process gets and gives: TUN for IPv6 packets, TAP for Ethernet frames. */

import { closeSync, constants, openSync } from "node:fs";
import { NodeFailure } from "../failure.ts";
import { createJoiner } from "../fast-path/segments/join.ts";
import { packetsOf } from "../fast-path/segments/split.ts";
import { libc } from "../native/native.ts";
import { createPacketDevice, type PacketDevice } from "../native/packet-device.ts";
import { TUN_NAME } from "./tun-name.ts";
import { createWakefulness } from "./wakefulness.ts";

const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
/** The device takes and gives unfinished checksums, and TCP in IPv6 that is not cut into segments. */
const TUN_F_CSUM = 0x01;
const TUN_F_TSO6 = 0x04;
const IFF_TUN = 0x0001;
const IFF_TAP = 0x0002;
/** Packets come without the four octets of packet information. */
const IFF_NO_PI = 0x1000;
/** A virtio header stands before every packet. */
const IFF_VNET_HDR = 0x4000;
const IFREQ_LENGTH = 40;
const IFREQ_FLAGS_OFFSET = 16;

/**
 * Packets taken at one wake-up before other work gets its turn, as many as from a socket. Reads would not do: one gives
 * up to 48 packets of TCP, and one packet of anything else, which would then come in more slowly than sockets answer.
 */
const PACKETS_PER_WAKE = 256;

/** The TUN device of a node, which carries IPv6 packets between the kernel and the node's machine. */
export interface TunDevice {
  /** Delivers batches of whole packets from here on, to this listener and to no earlier one. */
  listen(onPackets: (packets: readonly Uint8Array[]) => void): void;
  /** Hands a packet to the kernel by the next `flush`, together with those that it continues. */
  write(packet: Uint8Array): void;
  flush(): void;
  counters(): Readonly<Record<string, number>>;
  close(): void;
}

/**
 * Creates the node's TUN device in this process's network namespace; addresses and state are the network plan's. Throws
 * `tun-failed`.
 */
export function openTun(): TunDevice {
  const fd = createInterface(TUN_NAME, IFF_TUN | IFF_VNET_HDR);
  // Where the kernel refuses, packets come and go one by one and finished.
  libc().setIoctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO6);
  let waiting: Uint8Array[] = [];
  const device = createPacketDevice(fd, () => waiting.length < PACKETS_PER_WAKE);
  const joiner = createJoiner((frame, length) => device.write(frame, length));
  const counters = { "tun.read": 0, "tun.written": 0 };
  const wakefulness = createWakefulness();
  return {
    listen(onPackets) {
      // What was read first does not wait to hear that there is no more.
      let isFirst = true;
      const deliver = (): void => {
        const packets = waiting;
        waiting = [];
        counters["tun.read"] += packets.length;
        if (packets.length === 0) return;
        wakefulness.touch();
        onPackets(packets);
      };
      device.listen(
        (frame) => {
          waiting.push(...packetsOf(frame));
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
      wakefulness.touch();
      joiner.push(packet);
    },
    flush: () => joiner.flush(),
    counters: () => ({ ...counters, "tun.refused": device.counters().refused }),
    close() {
      wakefulness.release();
      device.close();
    },
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
