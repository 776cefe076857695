/**
 * Splits what the kernel hands over at once into packets: 64 KiB from a TCP sender cost one system call instead of 48.
 */

import { foldCarries, sumWords } from "../../../core/checksum.ts";
import {
  CHECKSUM_AT,
  FLAG,
  FLAGS_AT,
  headerLength,
  IPV6_HEADER_LENGTH,
  PAYLOAD_LENGTH_AT,
  SEQUENCE_AT,
  sumPseudoHeader,
} from "./tcp-header.ts";
import { readVirtioHeader, type Unfinished, VIRTIO_HEADER_LENGTH } from "./virtio-header.ts";

/**
 * The packets in a frame of a TUN device: one packet whose checksum is completed in place, or TCP data split into
 * segments. None if the frame is shorter than its header says.
 */
export function packetsOf(frame: Uint8Array): readonly Uint8Array[] {
  if (frame.length < VIRTIO_HEADER_LENGTH) return [];
  const unfinished = readVirtioHeader(frame);
  const packet = frame.subarray(VIRTIO_HEADER_LENGTH);
  if (unfinished.segmentBytes !== undefined) return splitTcp(packet, unfinished.segmentBytes);
  return finishChecksum(packet, unfinished) ? [packet] : [];
}

function finishChecksum(packet: Uint8Array, { checksumFrom, checksumAt }: Unfinished): boolean {
  if (checksumFrom === undefined) return true;
  const at = checksumFrom + checksumAt;
  if (at + 2 > packet.length) return false;
  // The field holds the pseudo-header's sum and so is part of the sum. For UDP, zero would mean no checksum.
  const sum = foldCarries(sumWords(packet, checksumFrom, packet.length)) ^ 0xffff;
  writeUint16(packet, at, sum === 0 ? 0xffff : sum);
  return true;
}

function splitTcp(packet: Uint8Array, segmentBytes: number): readonly Uint8Array[] {
  const header = headerLength(packet);
  if (header === undefined) return [];
  const dataBytes = packet.length - header;
  const count = Math.max(1, Math.ceil(dataBytes / segmentBytes));
  // One buffer for all of them.
  const memory = new Uint8Array(count * header + dataBytes);
  const segments: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    const from = header + i * segmentBytes;
    const to = Math.min(from + segmentBytes, packet.length);
    const segment = memory.subarray(at, at + header + to - from);
    segment.set(packet.subarray(0, header));
    segment.set(packet.subarray(from, to), header);
    finishSegment(segment, from - header, { isFirst: i === 0, isLast: i === count - 1 });
    segments.push(segment);
    at += segment.length;
  }
  return segments;
}

/** Completes the header of one segment: length, sequence number, flags, checksum. */
function finishSegment(segment: Uint8Array, dataBefore: number, place: { isFirst: boolean; isLast: boolean }): void {
  const tcpLength = segment.length - IPV6_HEADER_LENGTH;
  writeUint16(segment, PAYLOAD_LENGTH_AT, tcpLength);
  writeUint32(segment, SEQUENCE_AT, readUint32(segment, SEQUENCE_AT) + dataBefore);
  const onlyLast = place.isLast ? 0 : FLAG.fin | FLAG.push;
  const onlyFirst = place.isFirst ? 0 : FLAG.reduced;
  segment[FLAGS_AT] = (segment[FLAGS_AT] ?? 0) & ~(onlyLast | onlyFirst);
  writeUint16(segment, CHECKSUM_AT, 0);
  const sum = sumPseudoHeader(segment, tcpLength) + sumWords(segment, IPV6_HEADER_LENGTH, segment.length);
  writeUint16(segment, CHECKSUM_AT, foldCarries(sum) ^ 0xffff);
}

function readUint32(octets: Uint8Array, at: number): number {
  return new DataView(octets.buffer, octets.byteOffset + at, 4).getUint32(0);
}

/** Sequence numbers wrap around. */
function writeUint32(octets: Uint8Array, at: number, value: number): void {
  new DataView(octets.buffer, octets.byteOffset + at, 4).setUint32(0, value);
}

function writeUint16(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 8;
  octets[at + 1] = value & 0xff;
}
