/**
 * A descriptor that reads or writes one packet per call: a TUN or TAP device, or a packet socket.
 *
 * The descriptor is non-blocking and polled by the event loop (koffi's `node.poll`, libuv's `uv_poll`), so that nothing
 * pends when the process ends. Compared with Node's internal pipe handle: the same throughput and round-trip time, half
 * the CPU time in user mode, and no deprecated API.
 */

import { libc } from "./native.ts";

export interface PacketDevice {
  /**
   * Delivers packets from now on, each in its own buffer, to this listener instead of any earlier one. `onPause`
   * follows when no more are waiting, or other work gets its turn.
   */
  listen(onPacket: (packet: Uint8Array) => void, onPause?: () => void): void;
  /** Writes a packet, or its first `length` octets. A packet that the kernel refuses is counted and dropped. */
  write(packet: Uint8Array, length?: number): void;
  counters(): PacketCounters;
  close(): void;
}

export interface PacketCounters {
  readonly read: number;
  readonly written: number;
  readonly refused: number;
}

/** Packets read per wake-up before other work gets its turn. */
const READS_PER_WAKE = 64;

/** Longest packet that the kernel hands over, with any header before it. */
const MAX_PACKET_BYTES = 65535 + 64;

/**
 * Takes over a descriptor opened with O_NONBLOCK; `mayGoOn` decides, after so many reads, whether to read on at once.
 */
export function createPacketDevice(
  fd: number,
  mayGoOn: (reads: number) => boolean = (reads) => reads < READS_PER_WAKE,
): PacketDevice {
  const { read, write, poll, close } = libc();
  const buffer = Buffer.allocUnsafe(MAX_PACKET_BYTES);
  const counters = { read: 0, written: 0, refused: 0 };
  // Referenced for as long as the device exists: a poll handle that is collected stops watching.
  let watch: ReturnType<typeof poll> | undefined;
  let deliver: (packet: Uint8Array) => void = () => undefined;
  let pause: () => void = () => undefined;

  return {
    listen(onPacket, onPause = () => undefined) {
      deliver = onPacket;
      pause = onPause;
      watch ??= poll(fd, { readable: true }, () => {
        for (let reads = 0; mayGoOn(reads); reads += 1) {
          const length = read(fd, buffer, buffer.length);
          if (length <= 0) break;
          counters.read += 1;
          deliver(Uint8Array.prototype.slice.call(buffer, 0, length));
        }
        pause();
      });
    },
    write(packet, length = packet.length) {
      if (write(fd, packet, length) === length) counters.written += 1;
      else counters.refused += 1;
    },
    counters: () => counters,
    close() {
      watch?.close();
      watch = undefined;
      close(fd);
    },
  };
}
