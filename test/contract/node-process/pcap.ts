/** Reads a node's captures: the classic pcap format with nanoseconds, little-endian. */

import type { AgentReport } from "../../../agent/src/control/index.ts";

const GLOBAL_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const MAGIC = 0xa1b23c4d;
const LINKTYPE_ETHERNET = 1;

/** The pcap file made of a segment's capture reports. */
export function interfaceOf(reports: readonly AgentReport[], segment: string): Buffer {
  const pieces = reports.flatMap((report) =>
    report.type === "capture" && report.segment === segment ? [Buffer.from(report.data, "base64")] : [],
  );
  return Buffer.concat(pieces);
}

/** The frames of an Ethernet capture. Throws unless the file is complete. */
export function parsePcap(file: Buffer): readonly Buffer[] {
  if (file.readUInt32LE(0) !== MAGIC || file.readUInt32LE(20) !== LINKTYPE_ETHERNET)
    throw new Error("not an Ethernet pcap");
  const frames: Buffer[] = [];
  let at = GLOBAL_HEADER_BYTES;
  while (at < file.length) {
    const length = file.readUInt32LE(at + 8);
    const end = at + RECORD_HEADER_BYTES + length;
    if (end > file.length) throw new Error("the last frame is not complete");
    frames.push(file.subarray(at + RECORD_HEADER_BYTES, end));
    at = end;
  }
  return frames;
}

/** Whether the checksum of a UDP or TCP frame without IP options or extension headers is valid. */
export function hasRightChecksum(frame: Buffer): boolean {
  const { addresses, protocol, segment } = transportOf(frame);
  const pseudoHeader = Buffer.concat([addresses, Buffer.of(0, protocol, segment.length >> 8, segment.length & 0xff)]);
  const octets = Buffer.concat([pseudoHeader, segment, Buffer.alloc(segment.length % 2)]);
  let sum = 0;
  for (let i = 0; i < octets.length; i += 2) sum += octets.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum === 0xffff;
}

function transportOf(frame: Buffer): {
  readonly addresses: Buffer;
  readonly protocol: number;
  readonly segment: Buffer;
} {
  const isIpv4 = frame.readUInt16BE(12) === 0x0800;
  return isIpv4
    ? {
        addresses: frame.subarray(26, 34),
        protocol: frame.readUInt8(23),
        segment: frame.subarray(34, 14 + frame.readUInt16BE(16)),
      }
    : {
        addresses: frame.subarray(22, 54),
        protocol: frame.readUInt8(20),
        segment: frame.subarray(54, 54 + frame.readUInt16BE(18)),
      };
}
