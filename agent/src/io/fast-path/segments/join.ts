/**
 * Joins consecutive TCP segments into one packet: the kernel then receives up to 64 KiB at once and acknowledges them
 * once, which nearly empties the return path.
 *
 * Only segments that make no difference to the receiver are joined: same headers but for length, sequence number,
 * checksum and a last PSH, in order, every segment but the last of one size, and all with a valid checksum.
 */

import { foldCarries } from "../../../core/checksum.ts";
import type { TunWriter } from "../../native/tun-format.ts";
import {
  CHECKSUM_AT,
  FLAG,
  FLAGS_AT,
  hasRightChecksum,
  headerLength,
  IPV6_HEADER_LENGTH,
  PAYLOAD_LENGTH_AT,
  SEQUENCE_AT,
  sumPseudoHeader,
} from "./tcp-header.ts";
import { VIRTIO_HEADER_LENGTH, writeJoinedHeader, writePlainHeader } from "./virtio-header.ts";

/** Longest IPv6 packet: the header and a payload length of 16 bits. */
const MAX_PACKET_BYTES = IPV6_HEADER_LENGTH + 0xffff;

/** What the packets of the frame under construction have in common. */
interface Run {
  readonly headerBytes: number;
  readonly segmentBytes: number;
  /** The next sequence number. */
  next: number;
  count: number;
  /** Whether no further packet may be added. */
  isClosed: boolean;
}

/**
 * `write` receives a frame and its length; the frame's memory is reused afterwards. Packets are copied. A packet longer
 * than IPv6 allows is dropped.
 */
export function createJoiner(write: (frame: Uint8Array, length: number) => void): TunWriter {
  const frame = new Uint8Array(VIRTIO_HEADER_LENGTH + MAX_PACKET_BYTES);
  const view = new DataView(frame.buffer);
  const whole = frame.subarray(VIRTIO_HEADER_LENGTH);
  let length = 0;
  let run: Run | undefined;

  const flush = (): void => {
    if (length === 0) return;
    if (run === undefined || run.count === 1) writePlainHeader(frame);
    else finish(run);
    write(frame, VIRTIO_HEADER_LENGTH + length);
    length = 0;
    run = undefined;
  };
  const finish = ({ headerBytes, segmentBytes }: Run): void => {
    const tcpLength = length - IPV6_HEADER_LENGTH;
    view.setUint16(VIRTIO_HEADER_LENGTH + PAYLOAD_LENGTH_AT, tcpLength);
    const sum = foldCarries(sumPseudoHeader(whole, tcpLength));
    view.setUint16(VIRTIO_HEADER_LENGTH + CHECKSUM_AT, sum);
    writeJoinedHeader(frame, headerBytes, segmentBytes);
  };
  const append = (packet: Uint8Array, to: Run): void => {
    const data = packet.subarray(to.headerBytes);
    whole.set(data, length);
    length += data.length;
    to.next = (to.next + data.length) >>> 0;
    to.count += 1;
    whole[FLAGS_AT] = (whole[FLAGS_AT] ?? 0) | ((packet[FLAGS_AT] ?? 0) & FLAG.push);
    to.isClosed = data.length < to.segmentBytes || isPushed(packet);
  };
  return {
    push(packet) {
      if (packet.length > MAX_PACKET_BYTES) return;
      if (run !== undefined && length + packet.length <= MAX_PACKET_BYTES && follows(packet, whole, run)) {
        append(packet, run);
        return;
      }
      flush();
      whole.set(packet);
      length = packet.length;
      run = beginRun(packet);
    },
    flush,
  };
}

/** Starts a run with a packet; undefined for a packet that cannot be joined. */
function beginRun(packet: Uint8Array): Run | undefined {
  const headerBytes = headerLength(packet);
  if (headerBytes === undefined || !isPlainData(packet, headerBytes)) return undefined;
  const segmentBytes = packet.length - headerBytes;
  return {
    headerBytes,
    segmentBytes,
    next: (sequenceOf(packet) + segmentBytes) >>> 0,
    count: 1,
    isClosed: isPushed(packet),
  };
}

function follows(packet: Uint8Array, first: Uint8Array, { headerBytes, segmentBytes, next, isClosed }: Run): boolean {
  return (
    !isClosed &&
    packet.length > headerBytes &&
    packet.length - headerBytes <= segmentBytes &&
    sequenceOf(packet) === next &&
    hasSameHeader(packet, first, headerBytes) &&
    isPlainData(packet, headerBytes)
  );
}

/** Fields that differ from segment to segment. */
const OWN_FIELDS: ReadonlySet<number> = new Set([
  ...[PAYLOAD_LENGTH_AT, PAYLOAD_LENGTH_AT + 1],
  ...[SEQUENCE_AT, SEQUENCE_AT + 1, SEQUENCE_AT + 2, SEQUENCE_AT + 3],
  ...[FLAGS_AT, CHECKSUM_AT, CHECKSUM_AT + 1],
]);

function hasSameHeader(packet: Uint8Array, first: Uint8Array, headerBytes: number): boolean {
  for (let i = 0; i < headerBytes; i += 1) if (packet[i] !== first[i] && !OWN_FIELDS.has(i)) return false;
  return true;
}

/** Data with ACK and perhaps PSH, of the length in the IPv6 header, with a valid checksum. */
function isPlainData(packet: Uint8Array, headerBytes: number): boolean {
  const payloadLength = ((packet[PAYLOAD_LENGTH_AT] ?? 0) << 8) | (packet[PAYLOAD_LENGTH_AT + 1] ?? 0);
  return (
    packet.length > headerBytes &&
    packet.length === IPV6_HEADER_LENGTH + payloadLength &&
    ((packet[FLAGS_AT] ?? 0) & ~FLAG.push) === FLAG.acknowledgement &&
    hasRightChecksum(packet)
  );
}

function isPushed(packet: Uint8Array): boolean {
  return ((packet[FLAGS_AT] ?? 0) & FLAG.push) !== 0;
}

function sequenceOf(packet: Uint8Array): number {
  return new DataView(packet.buffer, packet.byteOffset + SEQUENCE_AT, 4).getUint32(0);
}
