/** The content of a UDP datagram of a run: its kind, and the meaning of its octets, part by part. */

import { formatSocketAddress, type SocketAddress } from "../../agent/src/core/address.ts";
import { decodeIpv6Packet, type Ipv6Packet, NEXT_HEADER } from "../../agent/src/core/mip6/ipv6-packet.ts";
import { decodeUdpInIpv6 } from "../../agent/src/core/mip6/udp-in-ipv6.ts";
import { demultiplex } from "../../agent/src/core/node/demultiplex.ts";
import { DSMIPV6_PORT, STUN_PORT } from "../../agent/src/core/ports.ts";
import { mobilityKind, mobilityParts } from "./mobility-parts.ts";
import { stunKind, stunParts } from "./stun-parts.ts";

/** Consecutive octets of a message, and their meaning. */
export interface Part {
  readonly octets: Uint8Array;
  readonly meaning: string;
}

/** A message's path: between node and home agent, through both home agents, or directly to the peer. */
export type Channel = "tunnel" | "pair" | "stun-server";

export interface ExampleMessage {
  readonly kind: string;
  readonly channel: Channel;
  readonly parts: readonly Part[];
}

interface Datagram {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
  readonly payload: Uint8Array;
}

/** Undefined for datagrams outside a session: probes of NATs, which use other sockets than candidates. */
export function readMessage(datagram: Datagram, candidatePorts: readonly number[]): ExampleMessage | undefined {
  const ports = [datagram.source.port, datagram.destination.port];
  if (!ports.some((port) => candidatePorts.includes(port))) return undefined;
  const channel = ports.includes(DSMIPV6_PORT) ? "tunnel" : ports.includes(STUN_PORT) ? "stun-server" : "pair";
  const content = demultiplex(datagram.payload);
  if (content.kind === "stun") {
    const { bytes } = content.frame;
    return { kind: stunKind(bytes), channel, parts: stunParts(bytes) };
  }
  if (content.kind !== "ipv6") return undefined;
  const ip = decodeIpv6Packet(content.packet);
  return ip.ok
    ? { ...upperLayer(ip.value), channel, parts: [header(content.packet, ip.value), ...upperLayer(ip.value).parts] }
    : undefined;
}

function header(packet: Uint8Array, { source, destination, nextHeader, hopLimit }: Ipv6Packet): Part {
  const protocol = PROTOCOLS[nextHeader] ?? `protocol ${nextHeader}`;
  return {
    octets: packet.subarray(0, 40),
    meaning: `IPv6 ${source} → ${destination}, ${protocol}, hop limit ${hopLimit}`,
  };
}

const PROTOCOLS: Readonly<Record<number, string>> = {
  [NEXT_HEADER.udp]: "UDP",
  [NEXT_HEADER.icmpv6]: "ICMPv6",
  [NEXT_HEADER.mobility]: "Mobility Header",
};

function upperLayer(ip: Ipv6Packet): { readonly kind: string; readonly parts: readonly Part[] } {
  if (ip.nextHeader === NEXT_HEADER.mobility) return { kind: mobilityKind(ip), parts: mobilityParts(ip) };
  const data = { kind: "data", parts: [{ octets: ip.payload, meaning: "what the kernel sent" }] };
  const udp = decodeUdpInIpv6(ip);
  if (!udp.ok) return data;
  const { source, destination, payload } = udp.value;
  if (demultiplex(payload).kind !== "stun") return data;
  const meaning = `UDP ${formatSocketAddress(source)} → ${formatSocketAddress(destination)}`;
  const parts = [{ octets: ip.payload.subarray(0, 8), meaning }, ...stunParts(payload)];
  return { kind: `${stunKind(payload)}, through the home agents`, parts };
}
