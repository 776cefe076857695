/**
 * What stands before every packet of a TUN device that leaves segmentation and checksums to others: `struct
 * virtio_net_hdr` (Virtual I/O Device 1.2, section 5.1.6), in the machine's own octet order, little-endian.
 */

export const VIRTIO_HEADER_LENGTH = 10;

/** Flag: the checksum field holds the sum of the pseudo-header alone. */
const NEEDS_CHECKSUM = 1;
const KIND_NONE = 0;
const KIND_TCP_IPV6 = 4;
/** Set in the kind where the connection uses ECN: of no consequence to where a segment begins. */
const KIND_ECN = 0x80;

/** What a packet needs before it may leave. */
export interface Unfinished {
  /** Where the part begins that the checksum covers beside the pseudo-header; undefined when the checksum is there. */
  readonly checksumFrom: number | undefined;
  /** Where the checksum field lies, counted from there. */
  readonly checksumAt: number;
  /** Octets of TCP data in each segment; undefined for a packet that is one already or is no TCP in IPv6. */
  readonly segmentBytes: number | undefined;
}

/** Reads the header at the beginning of a frame, which has at least its length. */
export function readVirtioHeader(frame: Uint8Array): Unfinished {
  const view = new DataView(frame.buffer, frame.byteOffset, VIRTIO_HEADER_LENGTH);
  const needsChecksum = (view.getUint8(0) & NEEDS_CHECKSUM) !== 0;
  const isTcp = (view.getUint8(1) & ~KIND_ECN) === KIND_TCP_IPV6;
  const segmentBytes = view.getUint16(4, true);
  return {
    checksumFrom: needsChecksum ? view.getUint16(6, true) : undefined,
    checksumAt: view.getUint16(8, true),
    segmentBytes: isTcp && segmentBytes > 0 ? segmentBytes : undefined,
  };
}

/** Writes the header of a packet that is whole. */
export function writePlainHeader(frame: Uint8Array): void {
  frame.fill(KIND_NONE, 0, VIRTIO_HEADER_LENGTH);
}

/** Where TCP begins in an IPv6 packet without extension headers, and its checksum field from there. */
const TCP_AT = 40;
const TCP_CHECKSUM_AT = 16;

/** Writes the header of TCP segments joined to one packet, whose checksum field holds the pseudo-header's sum. */
export function writeJoinedHeader(frame: Uint8Array, headerBytes: number, segmentBytes: number): void {
  const view = new DataView(frame.buffer, frame.byteOffset, VIRTIO_HEADER_LENGTH);
  view.setUint8(0, NEEDS_CHECKSUM);
  view.setUint8(1, KIND_TCP_IPV6);
  view.setUint16(2, headerBytes, true);
  view.setUint16(4, segmentBytes, true);
  view.setUint16(6, TCP_AT, true);
  view.setUint16(8, TCP_CHECKSUM_AT, true);
}
