/**
 * The header before every packet of a TUN device with offloads: `struct virtio_net_hdr` (Virtual I/O Device 1.2,
 * section 5.1.6), in host byte order, little-endian.
 */

export const VIRTIO_HEADER_LENGTH = 10;

/** Flag: the checksum field holds only the sum of the pseudo-header. */
const NEEDS_CHECKSUM = 1;
const KIND_NONE = 0;
const KIND_TCP_IPV6 = 4;
/** Set in the kind where the connection uses ECN; does not affect segmentation. */
const KIND_ECN = 0x80;

/** What has to be completed before a packet may leave. */
export interface Unfinished {
  /** Where the checksum's coverage begins, pseudo-header aside; undefined when the checksum is complete. */
  readonly checksumFrom: number | undefined;
  /** Offset of the checksum field from there. */
  readonly checksumAt: number;
  /** Octets of TCP data per segment; undefined for a packet that is one segment, or not TCP over IPv6. */
  readonly segmentBytes: number | undefined;
}

/** Reads the header at the start of a frame, which is at least as long. */
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

/** Writes the header of a complete packet. */
export function writePlainHeader(frame: Uint8Array): void {
  frame.fill(KIND_NONE, 0, VIRTIO_HEADER_LENGTH);
}

/** Offset of TCP in an IPv6 packet without extension headers, and of its checksum field from there. */
const TCP_AT = 40;
const TCP_CHECKSUM_AT = 16;

/** Writes the header of TCP segments joined into one packet, whose checksum field holds the pseudo-header's sum. */
export function writeJoinedHeader(frame: Uint8Array, headerBytes: number, segmentBytes: number): void {
  const view = new DataView(frame.buffer, frame.byteOffset, VIRTIO_HEADER_LENGTH);
  view.setUint8(0, NEEDS_CHECKSUM);
  view.setUint8(1, KIND_TCP_IPV6);
  view.setUint16(2, headerBytes, true);
  view.setUint16(4, segmentBytes, true);
  view.setUint16(6, TCP_AT, true);
  view.setUint16(8, TCP_CHECKSUM_AT, true);
}
