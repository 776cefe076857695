/** A pcap file of UDP datagrams over IPv4, for external programs that check octets made here. */

import { addressToBytes, type SocketAddress } from "../../agent/src/core/address.ts";
import { ByteWriter } from "../../agent/src/core/bytes.ts";
import { internetChecksum } from "../../agent/src/core/checksum.ts";

/** One datagram of the file. */
export interface CapturedDatagram {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
  readonly payload: Uint8Array;
}

const LINKTYPE_RAW = 101;
const UDP = 17;

/** The file, datagrams one millisecond apart, with valid IPv4 and UDP checksums. */
export function pcapOf(datagrams: readonly CapturedDatagram[]): Uint8Array {
  const file = new ByteWriter().u32(0xa1b2c3d4).u16(2).u16(4).zeros(8).u32(65_535).u32(LINKTYPE_RAW);
  datagrams.forEach((datagram, i) => {
    const packet = ipv4Packet(datagram);
    file
      .u32(Math.floor(i / 1000))
      .u32((i % 1000) * 1000)
      .u32(packet.length)
      .u32(packet.length)
      .bytes(packet);
  });
  return file.finish();
}

function ipv4Packet({ source, destination, payload }: CapturedDatagram): Uint8Array {
  const addresses = new ByteWriter().bytes(addressToBytes(source.ip)).bytes(addressToBytes(destination.ip)).finish();
  const udpLength = 8 + payload.length;
  const udp = new ByteWriter().u16(source.port).u16(destination.port).u16(udpLength).u16(0).bytes(payload);
  const pseudoHeader = new ByteWriter().bytes(addresses).u16(UDP).u16(udpLength).finish();
  udp.patchU16(6, internetChecksum(pseudoHeader, udp.finish()) || 0xffff);
  const header = new ByteWriter()
    .u16(0x4500)
    .u16(20 + udpLength)
    .u16(0)
    .u16(0x4000)
    .u8(64)
    .u8(UDP)
    .u16(0)
    .bytes(addresses);
  header.patchU16(10, internetChecksum(header.finish()));
  return header.bytes(udp.finish()).finish();
}
