/** UDP in an inner IPv6 packet, as in connectivity checks of the relayed candidate. */

import type { SocketAddress } from "../address.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";
import { hasValidChecksum, internetChecksum, ipv6PseudoHeader } from "../checksum.ts";
import { type Decoded, decoded, malformed } from "../result.ts";
import { encodeIpv6Packet, type Ipv6Packet, NEXT_HEADER } from "./ipv6-packet.ts";

const UDP_HEADER_LENGTH = 8;
const CHECKSUM_AT = 6;

/** A UDP datagram between two IPv6 transport addresses. */
export interface InnerDatagram {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
  /** When decoded, a view into the packet. */
  readonly payload: Uint8Array;
}

/** Builds the complete IPv6 packet with its UDP checksum, which IPv6 requires (RFC 8200 section 8.1). */
export function encodeUdpInIpv6({ source, destination, payload }: InnerDatagram): Uint8Array {
  const udp = new ByteWriter()
    .u16(source.port)
    .u16(destination.port)
    .u16(UDP_HEADER_LENGTH + payload.length)
    .u16(0)
    .bytes(payload);
  const checksum = internetChecksum(pseudoHeader(source.ip, destination.ip, udp.length), udp.finish());
  udp.patchU16(CHECKSUM_AT, checksum === 0 ? 0xffff : checksum);
  return encodeIpv6Packet({
    source: source.ip,
    destination: destination.ip,
    nextHeader: NEXT_HEADER.udp,
    payload: udp.finish(),
  });
}

/** Reads the UDP datagram of a decoded packet. Refuses `not-udp`, `truncated`, `udp-length` and `udp-checksum`. */
export function decodeUdpInIpv6(packet: Ipv6Packet): Decoded<InnerDatagram> {
  if (packet.nextHeader !== NEXT_HEADER.udp) return malformed("not-udp", 0);
  const reader = new ByteReader(packet.payload);
  const sourcePort = reader.u16();
  const destinationPort = reader.u16();
  const length = reader.u16();
  const checksum = reader.u16();
  if (reader.overrun) return malformed("truncated", reader.offset);
  if (length !== packet.payload.length) return malformed("udp-length", 4);
  const header = pseudoHeader(packet.source, packet.destination, length);
  if (checksum === 0 || !hasValidChecksum(header, packet.payload)) return malformed("udp-checksum", CHECKSUM_AT);
  return decoded({
    source: { ip: packet.source, port: sourcePort },
    destination: { ip: packet.destination, port: destinationPort },
    payload: reader.rest(),
  });
}

function pseudoHeader(source: string, destination: string, length: number): Uint8Array {
  return ipv6PseudoHeader({ source, destination, length, nextHeader: NEXT_HEADER.udp });
}
