/** SYN segments that carry a mark as data (RFC 9293 section 3.4 lets them), so that it is seen which of them arrive. */

import { addressToBytes, type SocketAddress } from "../address.ts";
import { ByteWriter } from "../bytes.ts";
import { internetChecksum } from "../checksum.ts";

/** Protocol number of TCP. */
export const TCP_PROTOCOL = 6;

const HEADER_BYTES = 20;
const CHECKSUM_AT = 16;
const SYN = 0x02;

/** One segment of IPv4 from source to destination, header and data. */
export function encodeMarkedSyn(source: SocketAddress, destination: SocketAddress, mark: Uint8Array): Uint8Array {
  const segment = new ByteWriter()
    .u16(source.port)
    .u16(destination.port)
    .zeros(8)
    .u8((HEADER_BYTES / 4) << 4)
    .u8(SYN)
    .u16(0xffff)
    .zeros(4)
    .bytes(mark)
    .finish();
  const pseudoHeader = new ByteWriter()
    .bytes(addressToBytes(source.ip))
    .bytes(addressToBytes(destination.ip))
    .u8(0)
    .u8(TCP_PROTOCOL)
    .u16(segment.length)
    .finish();
  new DataView(segment.buffer, segment.byteOffset).setUint16(CHECKSUM_AT, internetChecksum(pseudoHeader, segment));
  return segment;
}

/** Octets of a segment's header; undefined where it is cut short. */
export function tcpHeaderBytes(segment: Uint8Array): number | undefined {
  const length = ((segment[12] ?? 0) >> 4) * 4;
  return length >= HEADER_BYTES && segment.length >= length ? length : undefined;
}
