/** Packets on a simulated segment: UDP datagrams of either IP version, and native IPv6 packets between home agents. */

import { addressFromBytes, familyOf, type SocketAddress } from "../core/address.ts";
import { decodeIpv6Packet } from "../core/mip6/ipv6-packet.ts";
import { decodeUdpInIpv6, encodeUdpInIpv6 } from "../core/mip6/udp-in-ipv6.ts";

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

/** An ICMP error over IPv4: `source` dropped a datagram from `destination` to `refused`. */
export interface IcmpPacket {
  readonly kind: "icmp";
  readonly source: string;
  readonly destination: SocketAddress;
  readonly refused: SocketAddress;
  readonly reason: string;
  /** Empty: the fields above hold everything. */
  readonly payload: Uint8Array;
}

export type SimPacket = UdpPacket | Ipv6Packet | IcmpPacket;

/** The ICMP error of `by` for a datagram that it drops. */
export function icmpRefusal(by: string, { source, destination }: UdpPacket, reason: string): IcmpPacket {
  return { kind: "icmp", source: by, destination: source, refused: destination, reason, payload: new Uint8Array(0) };
}

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

/** The packet as a UDP datagram, also if it travelled as plain IPv6; undefined for other protocols. */
export function asUdp(packet: SimPacket): UdpPacket | undefined {
  if (packet.kind !== "ipv6") return packet.kind === "udp" ? packet : undefined;
  const ip = decodeIpv6Packet(packet.payload);
  const udp = ip.ok ? decodeUdpInIpv6(ip.value) : ip;
  return udp.ok ? { kind: "udp", ...udp.value } : undefined;
}

/** A UDP datagram over IPv6 in octets, as a TUN device receives it. */
export function asIpv6(packet: SimPacket): Ipv6Packet {
  if (packet.kind === "icmp") throw new Error("ICMP over IPv4 comes from no tunnel");
  return packet.kind === "ipv6" ? packet : ipv6Packet(encodeUdpInIpv6(packet));
}

/** Source address of a packet. */
export function sourceIp({ source }: SimPacket): string {
  return typeof source === "string" ? source : source.ip;
}

/** Destination address of a packet. */
export function destinationIp(packet: SimPacket): string {
  return packet.kind === "ipv6" ? packet.destination : packet.destination.ip;
}

/** Length of the packet as an IP packet. */
export function packetOctets(packet: SimPacket): number {
  if (packet.kind === "ipv6") return packet.payload.length;
  // Both headers of each: RFC 792 requires no more to be quoted.
  if (packet.kind === "icmp") return 56;
  return (familyOf(packet.destination.ip) === 4 ? 20 : 40) + 8 + packet.payload.length;
}
