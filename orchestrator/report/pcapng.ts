/**
 * Joins the pcap streams of a run into one pcapng file with one named interface per segment. Every node records only the
 * frames that it sends, so the streams of a segment's nodes together are complete and without duplicates.
 *
 * Format: draft-ietf-opsawg-pcapng (blocks 0x0a0d0d0a, 1, 6).
 */

import { type CapturedPacket, readPcap } from "../trace/pcap.ts";

/** The streams captured on one segment, each one pcap file, possibly truncated. */
export interface InterfaceCapture {
  readonly segment: string;
  /** For the reader of the capture: which nodes are on the segment, such as `ha-a, nat-a, nat-b`. */
  readonly description: string;
  readonly streams: readonly Uint8Array[];
}

/** Packets in the file, per segment. */
export interface SegmentSummary {
  readonly segment: string;
  readonly packets: number;
  readonly octets: number;
}

export interface MergedCapture {
  readonly file: Uint8Array;
  readonly segments: readonly SegmentSummary[];
}

/** Frames of all segments in chronological order; segments keep their order as interfaces, empty ones included. */
export function mergeCaptures(captures: readonly InterfaceCapture[], application: string): MergedCapture {
  const segments = captures.map((capture) => ({ capture, packets: capture.streams.flatMap(readPcap) }));
  const blocks = [
    sectionHeader(application),
    ...segments.map(({ capture }) => interfaceDescription(capture)),
    ...segments
      .flatMap(({ packets }, index) => packets.map((packet) => ({ ...packet, index })))
      .sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0))
      .map(enhancedPacket),
  ];
  return {
    file: concat(blocks),
    segments: segments.map(({ capture, packets }) => ({
      segment: capture.segment,
      packets: packets.length,
      octets: packets.reduce((sum, { frame }) => sum + frame.length, 0),
    })),
  };
}

const SECTION_HEADER_BLOCK = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION_BLOCK = 1;
const ENHANCED_PACKET_BLOCK = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const LINKTYPE_ETHERNET = 1;
/** No limit on the frame length. */
const SNAPLEN = 0;
const OPTION = { end: 0, sectionApplication: 4, interfaceName: 2, interfaceDescription: 3, timeResolution: 9 } as const;
/** Exponent of ten of the timestamp unit. */
const NANOSECONDS_EXPONENT = 9;

function sectionHeader(application: string): Uint8Array {
  const body = new Uint8Array(16);
  const view = new DataView(body.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, true);
  view.setUint16(4, 1, true);
  // Section length -1: unspecified.
  view.setBigInt64(8, -1n, true);
  return block(SECTION_HEADER_BLOCK, [body, textOption(OPTION.sectionApplication, application), endOption()]);
}

function interfaceDescription({ segment, description }: InterfaceCapture): Uint8Array {
  const body = new Uint8Array(8);
  const view = new DataView(body.buffer);
  view.setUint16(0, LINKTYPE_ETHERNET, true);
  view.setUint32(4, SNAPLEN, true);
  return block(INTERFACE_DESCRIPTION_BLOCK, [
    body,
    textOption(OPTION.interfaceName, segment),
    textOption(OPTION.interfaceDescription, description),
    option(OPTION.timeResolution, Uint8Array.of(NANOSECONDS_EXPONENT)),
    endOption(),
  ]);
}

function enhancedPacket(packet: CapturedPacket & { readonly index: number }): Uint8Array {
  const body = new Uint8Array(20);
  const view = new DataView(body.buffer);
  view.setUint32(0, packet.index, true);
  view.setUint32(4, Number(packet.timeNs >> 32n), true);
  view.setUint32(8, Number(packet.timeNs & 0xffff_ffffn), true);
  view.setUint32(12, packet.frame.length, true);
  view.setUint32(16, packet.originalLength, true);
  return block(ENHANCED_PACKET_BLOCK, [body, padded(packet.frame)]);
}

/** Type, total length, body, total length again. */
function block(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(parts);
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, bytes.length, true);
  bytes.set(body, 8);
  view.setUint32(bytes.length - 4, bytes.length, true);
  return bytes;
}

function textOption(code: number, text: string): Uint8Array {
  return option(code, new TextEncoder().encode(text));
}

function option(code: number, value: Uint8Array): Uint8Array {
  const header = new Uint8Array(4);
  const view = new DataView(header.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  return concat([header, padded(value)]);
}

function endOption(): Uint8Array {
  return new Uint8Array(4);
}

/** Options and frames are padded to 32 bits. */
function padded(bytes: Uint8Array): Uint8Array {
  const rest = (4 - (bytes.length % 4)) % 4;
  return rest === 0 ? bytes : concat([bytes, new Uint8Array(rest)]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
