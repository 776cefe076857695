/**
 * Frames that leave an interface, in a ring that the kernel fills and this process empties (TPACKET_V2, see packet_mmap
 * in the kernel's documentation). Socket buffers would not do: without privileges outside its user namespace, a process
 * has room for only a few hundred frames, while a ring may have any size.
 */

import { close } from "node:fs";
import { NodeFailure } from "../failure.ts";
import { libc, type Watch } from "../native/native.ts";
import { bindPacketSocket, createPacketSocket, SOL_PACKET, takePacketDrops } from "../native/packet-socket.ts";
import type { CapturedFrame } from "./pcap.ts";

export interface PacketRing {
  /** Calls back once, when frames are waiting. */
  whenReadable(callback: () => void): void;
  /** Takes the waiting outgoing frames. Their octets are valid only during the call. */
  take(onFrame: (frame: CapturedFrame) => void): void;
  /** Frames dropped since the last call because the ring was full. */
  takeDrops(): number;
  close(): void;
}

const PACKET_RX_RING = 5;
const PACKET_VERSION = 10;
const TPACKET_V2 = 1;

/** 16 MiB, one frame per slot: more than a second at 5000 frames a second. */
const SLOT_BYTES = 2048;
const SLOTS = 8192;
const RING_BYTES = SLOTS * SLOT_BYTES;
/** The kernel allocates the ring in blocks of contiguous memory. */
const BLOCK_BYTES = 65_536;

/** `struct tpacket2_hdr` at the start of a slot; a `struct sockaddr_ll` follows. */
const STATUS_AT = 0;
const LENGTH_AT = 4;
const CAPTURED_LENGTH_AT = 8;
const FRAME_OFFSET_AT = 12;
const SECONDS_AT = 16;
const NANOSECONDS_AT = 20;
const PACKET_TYPE_AT = 32 + 10;

/** Values of a slot's status: empty, and the bit that is set while it holds a frame for this process. */
const STATUS_KERNEL = 0;
const STATUS_USER = 1;

const PACKET_OUTGOING = 4;

/** Offset of an Ethernet frame in its slot, which aligns what follows its header to 16 octets. */
const ETHERNET_FRAME_OFFSET = 66;

/** Most octets of a frame that are captured. */
export const SNAP_LENGTH = SLOT_BYTES - ETHERNET_FRAME_OFFSET;

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

const READABLE = { readable: true } as const;

/** Opens a ring on an interface that is up; it captures once this resolves. Throws `capture-failed`. */
export async function openPacketRing(interfaceName: string): Promise<PacketRing> {
  const { mmap, munmap, memoryAt, poll } = libc();
  const fd = await openSocket(interfaceName);
  const address = mmap(RING_BYTES, PROT_READ_WRITE, MAP_SHARED, fd);
  if (address === MAP_FAILED || !bindPacketSocket(fd, interfaceName)) throw refusal(interfaceName);
  const slots = createSlots(memoryAt(address, RING_BYTES));
  let watch: Watch | undefined;
  return {
    whenReadable(callback) {
      const onReadable = (): void => {
        watch?.stop();
        callback();
      };
      if (watch === undefined) watch = poll(fd, READABLE, onReadable);
      else watch.start(READABLE, onReadable);
    },
    take: slots.take,
    takeDrops: () => takePacketDrops(fd),
    close() {
      watch?.close();
      munmap(address, RING_BYTES);
      // On a libuv thread: the kernel takes 10 to 75 ms to close such a socket (measured on Linux 6.18).
      close(fd);
    },
  };
}

async function openSocket(interfaceName: string): Promise<number> {
  const { setsockopt, setsockoptAside } = libc();
  const fd = createPacketSocket();
  const ring = uint32s(BLOCK_BYTES, RING_BYTES / BLOCK_BYTES, SLOT_BYTES, SLOTS);
  const hasRing =
    fd !== -1 &&
    setsockopt(fd, SOL_PACKET, PACKET_VERSION, uint32s(TPACKET_V2), 4) === 0 &&
    // The kernel takes 1 to 10 ms for this.
    (await setsockoptAside(fd, SOL_PACKET, PACKET_RX_RING, ring)) === 0;
  if (!hasRing) throw refusal(interfaceName);
  return fd;
}

/** The failure ends the process, which closes the socket. */
function refusal(interfaceName: string): NodeFailure {
  const right = "which takes the right to open packet sockets (CAP_NET_RAW) and 16 MiB of memory";
  return new NodeFailure("capture-failed", `the kernel refused a capture on ${interfaceName}, ${right}`);
}

function createSlots(memory: ArrayBuffer): Pick<PacketRing, "take"> {
  const octets = new Uint8Array(memory);
  const fields = new DataView(memory);
  const words = new Int32Array(memory);
  /** The slot of the earliest frame, or of the next one to arrive. */
  let next = 0;
  const frameIn = (slotAt: number): CapturedFrame => {
    const frameAt = slotAt + fields.getUint16(slotAt + FRAME_OFFSET_AT, true);
    return {
      seconds: fields.getUint32(slotAt + SECONDS_AT, true),
      nanoseconds: fields.getUint32(slotAt + NANOSECONDS_AT, true),
      length: fields.getUint32(slotAt + LENGTH_AT, true),
      octets: octets.subarray(frameAt, frameAt + fields.getUint32(slotAt + CAPTURED_LENGTH_AT, true)),
    };
  };
  return {
    take(onFrame) {
      for (let taken = 0; taken < SLOTS; taken += 1) {
        const slotAt = next * SLOT_BYTES;
        const status = (slotAt + STATUS_AT) / words.BYTES_PER_ELEMENT;
        // Atomics, so that the frame is read after its status and before the slot is released.
        if ((Atomics.load(words, status) & STATUS_USER) === 0) return;
        if (fields.getUint8(slotAt + PACKET_TYPE_AT) === PACKET_OUTGOING) onFrame(frameIn(slotAt));
        Atomics.store(words, status, STATUS_KERNEL);
        next = (next + 1) % SLOTS;
      }
    },
  };
}

function uint32s(...values: readonly number[]): Buffer {
  const octets = Buffer.alloc(4 * values.length);
  values.forEach((value, i) => octets.writeUInt32LE(value, 4 * i));
  return octets;
}
