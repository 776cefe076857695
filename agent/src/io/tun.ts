/**
 * The TUN device of a node: IPv6 packets between the kernel and the node's machine.
 *
 * The descriptor never blocks and is watched by the event loop's own poll (koffi's `node.poll`, libuv's `uv_poll`), so
 * that nothing pends when the process ends. Measured beside Node's internal pipe handle: the same throughput and round
 * trip, half the CPU time in user mode, and no deprecated API.
 */

import { closeSync, constants, openSync } from "node:fs";
import { NodeFailure } from "./failure.ts";
import { libc } from "./native.ts";
import { TUN_NAME } from "./network-plan.ts";

const TUNSETIFF = 0x400454ca;
const IFF_TUN = 0x0001;
/** Packets come without the four octets of packet information. */
const IFF_NO_PI = 0x1000;
const IFREQ_LENGTH = 40;
const IFREQ_FLAGS_OFFSET = 16;

/** Packets read at one wake-up before other work gets its turn. */
const READS_PER_WAKE = 64;

/** Longest packet that the kernel hands over; the device's MTU keeps them far shorter. */
const MAX_PACKET_BYTES = 65535;

export interface TunDevice {
  /** Starts to deliver packets; each is a buffer of its own. */
  listen(onPacket: (packet: Uint8Array) => void): void;
  /** Hands a packet to the kernel. A packet it refuses, such as a malformed one, is counted and dropped. */
  write(packet: Uint8Array): void;
  counters(): Readonly<Record<string, number>>;
  close(): void;
}

/** Creates the device in this process's network namespace; addresses and state are the network plan's. */
export function openTun(): TunDevice {
  const fd = createDevice();
  const { read, write, poll } = libc();
  const buffer = Buffer.allocUnsafe(MAX_PACKET_BYTES);
  const counters = { "tun.read": 0, "tun.written": 0, "tun.refused": 0 };
  // Held for as long as the device is: a poll handle that is collected stops watching.
  let watch: ReturnType<typeof poll> | undefined;

  return {
    listen(onPacket) {
      watch = poll(fd, { readable: true }, () => {
        for (let i = 0; i < READS_PER_WAKE; i += 1) {
          const length = read(fd, buffer, buffer.length);
          if (length <= 0) return;
          counters["tun.read"] += 1;
          onPacket(Uint8Array.prototype.slice.call(buffer, 0, length));
        }
      });
    },
    write(packet) {
      if (write(fd, packet, packet.length) === packet.length) counters["tun.written"] += 1;
      else counters["tun.refused"] += 1;
    },
    counters: () => counters,
    close() {
      watch?.close();
      watch = undefined;
      closeSync(fd);
    },
  };
}

function createDevice(): number {
  const fd = openDevice();
  const request = Buffer.alloc(IFREQ_LENGTH);
  request.write(TUN_NAME, "latin1");
  request.writeUInt16LE(IFF_TUN | IFF_NO_PI, IFREQ_FLAGS_OFFSET);
  const { ioctl, errno } = libc();
  if (ioctl(fd, TUNSETIFF, request) === -1) {
    const code = errno();
    closeSync(fd);
    throw new NodeFailure("tun-failed", `the kernel refused the TUN device ${TUN_NAME}: errno ${code}`);
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
