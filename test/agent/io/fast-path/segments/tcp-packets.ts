/** TCP packets, and the TUN device frames that contain them. */

import { encodeIpv6Packet } from "../../../../../agent/src/core/mip6/ipv6-packet.ts";
import { packetsOf } from "../../../../../agent/src/io/fast-path/segments/split.ts";

export const SOURCE = "2001:db8:a::100";
export const DESTINATION = "2001:db8:b::100";
export const [TCP, UDP] = [6, 17];
export const [FIN, PSH, ACK, CWR] = [0x01, 0x08, 0x10, 0x80];
export const VIRTIO = 10;
export const TCP_HEADER = 32;
export const HEADERS = 40 + TCP_HEADER;

export interface TcpFields {
  readonly sequence?: number;
  readonly flags?: number;
  readonly acknowledgement?: number;
  readonly data: Uint8Array;
}

/** A packet with timestamps among its options and without a checksum. */
export function tcpPacket({ sequence = 1000, flags = ACK, acknowledgement = 77, data }: TcpFields): Uint8Array {
  const header = new DataView(new ArrayBuffer(TCP_HEADER));
  header.setUint16(0, 5201);
  header.setUint16(2, 40000);
  header.setUint32(4, sequence);
  header.setUint32(8, acknowledgement);
  header.setUint8(12, (TCP_HEADER / 4) << 4);
  header.setUint8(13, flags);
  header.setUint16(14, 512);
  header.setUint32(20, 0x0101080a);
  const payload = Buffer.concat([new Uint8Array(header.buffer), data]);
  return encodeIpv6Packet({ source: SOURCE, destination: DESTINATION, nextHeader: TCP, payload });
}

export function pattern(length: number, first = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (first + i * 7) & 0xff);
}

interface Virtio {
  readonly flags?: number;
  readonly kind?: number;
  readonly segmentBytes?: number;
  readonly checksumFrom?: number;
  readonly checksumAt?: number;
}

export function frameOf(packet: Uint8Array, virtio: Virtio = {}): Uint8Array {
  const frame = Buffer.alloc(VIRTIO + packet.length);
  frame.writeUInt8(virtio.flags ?? 0, 0);
  frame.writeUInt8(virtio.kind ?? 0, 1);
  frame.writeUInt16LE(virtio.segmentBytes ?? 0, 4);
  frame.writeUInt16LE(virtio.checksumFrom ?? 0, 6);
  frame.writeUInt16LE(virtio.checksumAt ?? 0, 8);
  frame.set(packet, VIRTIO);
  return Uint8Array.from(frame);
}

export const segmented = (packet: Uint8Array, segmentBytes: number, kind = 4): readonly Uint8Array[] =>
  packetsOf(frameOf(packet, { flags: 1, kind, segmentBytes, checksumFrom: 40, checksumAt: 16 }));
