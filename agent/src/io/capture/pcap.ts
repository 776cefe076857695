/** The classic pcap file format (pcap-savefile(5)), with nanoseconds, little-endian. */

/** A captured frame. */
export interface CapturedFrame {
  /** Time of day, in seconds and nanoseconds. */
  readonly seconds: number;
  readonly nanoseconds: number;
  /** Length of the frame on the wire; `octets` may hold less. */
  readonly length: number;
  readonly octets: Uint8Array;
}

const FILE_HEADER_LENGTH = 24;
const RECORD_HEADER_LENGTH = 16;
/** Microseconds would not tell which of two segments a packet crossed first: a router needs less to forward it. */
const NANOSECONDS_MAGIC = 0xa1b23c4d;
const VERSION = { major: 2, minor: 4 } as const;
const LINKTYPE_ETHERNET = 1;

/** The header of a file of Ethernet frames that hold at most `snapLength` octets. */
export function pcapFileHeader(snapLength: number): Buffer {
  const header = Buffer.alloc(FILE_HEADER_LENGTH);
  header.writeUInt32LE(NANOSECONDS_MAGIC, 0);
  header.writeUInt16LE(VERSION.major, 4);
  header.writeUInt16LE(VERSION.minor, 6);
  header.writeUInt32LE(snapLength, 16);
  header.writeUInt32LE(LINKTYPE_ETHERNET, 20);
  return header;
}

/** The record of a frame, with a copy of its octets. */
export function pcapRecord({ seconds, nanoseconds, length, octets }: CapturedFrame): Buffer {
  const record = Buffer.allocUnsafe(RECORD_HEADER_LENGTH + octets.length);
  record.writeUInt32LE(seconds, 0);
  record.writeUInt32LE(nanoseconds, 4);
  record.writeUInt32LE(octets.length, 8);
  record.writeUInt32LE(length, 12);
  record.set(octets, RECORD_HEADER_LENGTH);
  return record;
}
