/** What travels over a simulated wire: UDP datagrams of either IP version, and native IPv6 packets between home agents. */

import { addressFromBytes, familyOf, type SocketAddress } from "../core/address.ts";

export interface UdpPacket {
  readonly kind: "udp";
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
  readonly payload: Uint8Array;
}

/** A whole IPv6 packet, header included. */
export interface Ipv6Packet {
  readonly kind: "ipv6";
  readonly source: string;
  readonly destination: string;
  readonly payload: Uint8Array;
}

export type SimPacket = UdpPacket | Ipv6Packet;

/** Reads the addresses of an IPv6 packet; throws on anything shorter than its header (a bug of the sender). */
export function ipv6Packet(bytes: Uint8Array): Ipv6Packet {
  if (bytes.length < 40 || (bytes[0] ?? 0) >> 4 !== 6) throw new Error(`not an IPv6 packet: ${bytes.length} octets`);
  return {
    kind: "ipv6",
    source: addressFromBytes(bytes.subarray(8, 24)),
    destination: addressFromBytes(bytes.subarray(24, 40)),
    payload: bytes,
  };
}

/** Where a packet goes, as a plain address. */
export function destinationIp(packet: SimPacket): string {
  return packet.kind === "udp" ? packet.destination.ip : packet.destination;
}

/** Octets of the packet as an IP packet. */
export function packetOctets(packet: SimPacket): number {
  if (packet.kind === "ipv6") return packet.payload.length;
  return (familyOf(packet.destination.ip) === 4 ? 20 : 40) + 8 + packet.payload.length;
}
