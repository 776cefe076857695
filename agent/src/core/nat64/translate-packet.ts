/**
 * Packets between IPv6 and IPv4 without state (RFC 7915). Checksums are updated by the difference of what they cover
 * (RFC 1624), so that fragments are translated one by one.
 *
 * What is translated: UDP, TCP, ICMP echo, and the ICMP errors that a path needs (unreachable, too big, time exceeded)
 * with the packet that they are about. What is not: other ICMP, IPv4 options (left out), other extension headers than
 * Fragment (dropped), fragments of ICMP, and an IPv4 UDP fragment without checksum.
 */

import { addressFromBytes, addressToBytes } from "../address.ts";
import { foldCarries, internetChecksum, ipv6PseudoHeader, sumWords } from "../checksum.ts";

/** How the two addresses of a packet are written in the other IP version; undefined where one has no counterpart. */
export type Readdress = (source: string, destination: string) => readonly [string, string] | undefined;

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const FRAGMENT_HEADER = 8;

const ICMP = 1;
const TCP = 6;
const UDP = 17;
const FRAGMENT = 44;
const ICMPV6 = 58;

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;

/** Where the checksum of a transport header is. */
const CHECKSUM_AT: Readonly<Record<number, number>> = { [TCP]: 16, [UDP]: 6 };

/** The largest IPv6 packet that every link carries (RFC 8200 section 5). */
const IPV6_MINIMUM_MTU = 1280;

/** What both IP versions say of a packet. */
interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly trafficClass: number;
  readonly hopLimit: number;
  /** Number of the transport protocol, as in its own IP version. */
  readonly protocol: number;
  /** Absent for a whole packet. */
  readonly fragment?: Fragment;
  readonly mayFragment: boolean;
  /** Length of the payload as the header has it: a packet within an ICMP error is cut off. */
  readonly statedLength: number;
  readonly payload: Uint8Array;
}

interface Fragment {
  readonly identification: number;
  /** In units of 8 octets. */
  readonly offset: number;
  readonly isLast: boolean;
}

/** An IPv6 packet as IPv4; undefined where there is no such. */
export function translateToIpv4(octets: Uint8Array, readdress: Readdress): Uint8Array | undefined {
  const packet = readIpv6(octets);
  return packet === undefined ? undefined : toIpv4(packet, readdress, "whole");
}

/** An IPv4 packet as IPv6; undefined where there is no such. */
export function translateToIpv6(octets: Uint8Array, readdress: Readdress): Uint8Array | undefined {
  const packet = readIpv4(octets);
  return packet === undefined ? undefined : toIpv6(packet, readdress, "whole");
}

/** A whole packet, or one within an ICMP error, whose checksum nobody verifies. */
type Extent = "whole" | "quoted";

function toIpv4(packet: Packet, readdress: Readdress, extent: Extent): Uint8Array | undefined {
  const addresses = readdress(packet.source, packet.destination);
  if (addresses === undefined) return undefined;
  const isIcmp = packet.protocol === ICMPV6;
  const payload = isIcmp ? icmpToIpv4(packet, readdress, extent) : transportPayload(packet, addresses, extent);
  return payload && writeIpv4({ ...packet, protocol: isIcmp ? ICMP : packet.protocol }, addresses, payload);
}

function toIpv6(packet: Packet, readdress: Readdress, extent: Extent): Uint8Array | undefined {
  const addresses = readdress(packet.source, packet.destination);
  if (addresses === undefined) return undefined;
  const isIcmp = packet.protocol === ICMP;
  const payload = isIcmp
    ? icmpToIpv6(packet, addresses, readdress, extent)
    : transportPayload(packet, addresses, extent);
  return payload && writeIpv6({ ...packet, protocol: isIcmp ? ICMPV6 : packet.protocol }, addresses, payload);
}

function readIpv6(octets: Uint8Array): Packet | undefined {
  if (octets.length < IPV6_HEADER || (octets[0] ?? 0) >> 4 !== 6) return undefined;
  const view = viewOf(octets);
  const nextHeader = view.getUint8(6);
  const isFragment = nextHeader === FRAGMENT;
  if (isFragment && octets.length < IPV6_HEADER + FRAGMENT_HEADER) return undefined;
  const headers = IPV6_HEADER + (isFragment ? FRAGMENT_HEADER : 0);
  const statedLength = view.getUint16(4) + IPV6_HEADER - headers;
  if (statedLength < 0) return undefined;
  const offsetAndFlag = isFragment ? view.getUint16(42) : 0;
  const fragment = { identification: isFragment ? view.getUint32(44) : 0, offset: offsetAndFlag >> 3 };
  return {
    source: addressFromBytes(octets.subarray(8, 24)),
    destination: addressFromBytes(octets.subarray(24, 40)),
    trafficClass: (view.getUint16(0) >> 4) & 0xff,
    hopLimit: view.getUint8(7),
    protocol: isFragment ? view.getUint8(40) : nextHeader,
    ...(isFragment ? { fragment: { ...fragment, isLast: (offsetAndFlag & 1) === 0 } } : {}),
    // RFC 7915 section 5.1: smaller packets may pass links that no IPv6 link is as small as.
    mayFragment: octets.length <= IPV6_MINIMUM_MTU,
    statedLength,
    payload: octets.subarray(headers, headers + statedLength),
  };
}

function readIpv4(octets: Uint8Array): Packet | undefined {
  const header = ((octets[0] ?? 0) & 0x0f) * 4;
  if (octets.length < IPV4_HEADER || (octets[0] ?? 0) >> 4 !== 4 || header < IPV4_HEADER) return undefined;
  const view = viewOf(octets);
  const statedLength = view.getUint16(2) - header;
  if (statedLength < 0 || octets.length < header) return undefined;
  const flags = view.getUint16(6);
  const offset = flags & 0x1fff;
  const isLast = (flags & MORE_FRAGMENTS) === 0;
  return {
    source: addressFromBytes(octets.subarray(12, 16)),
    destination: addressFromBytes(octets.subarray(16, 20)),
    trafficClass: view.getUint8(1),
    hopLimit: view.getUint8(8),
    protocol: view.getUint8(9),
    ...(offset === 0 && isLast ? {} : { fragment: { identification: view.getUint16(4), offset, isLast } }),
    mayFragment: (flags & DONT_FRAGMENT) === 0,
    statedLength,
    payload: octets.subarray(header, header + statedLength),
  };
}

type Addresses = readonly [string, string];

function writeIpv4(packet: Packet, [source, destination]: Addresses, payload: Uint8Array): Uint8Array {
  const { fragment } = packet;
  const octets = new Uint8Array(IPV4_HEADER + payload.length);
  const view = viewOf(octets);
  const mayFragment = packet.mayFragment || fragment !== undefined;
  const flags = (mayFragment ? 0 : DONT_FRAGMENT) | (fragment?.isLast === false ? MORE_FRAGMENTS : 0);
  octets.set([0x45, packet.trafficClass]);
  view.setUint16(2, IPV4_HEADER + lengthOf(packet, payload));
  view.setUint16(4, (fragment?.identification ?? 0) & 0xffff);
  view.setUint16(6, flags | (fragment?.offset ?? 0));
  octets.set([packet.hopLimit, packet.protocol], 8);
  octets.set(addressToBytes(source), 12);
  octets.set(addressToBytes(destination), 16);
  view.setUint16(10, internetChecksum(octets.subarray(0, IPV4_HEADER)));
  octets.set(payload, IPV4_HEADER);
  return octets;
}

function writeIpv6(packet: Packet, [source, destination]: Addresses, payload: Uint8Array): Uint8Array {
  const { fragment } = packet;
  const headers = IPV6_HEADER + (fragment === undefined ? 0 : FRAGMENT_HEADER);
  const octets = new Uint8Array(headers + payload.length);
  const view = viewOf(octets);
  view.setUint32(0, (6 << 28) | (packet.trafficClass << 20));
  view.setUint16(4, headers - IPV6_HEADER + lengthOf(packet, payload));
  octets.set([fragment === undefined ? packet.protocol : FRAGMENT, packet.hopLimit], 6);
  octets.set(addressToBytes(source), 8);
  octets.set(addressToBytes(destination), 24);
  if (fragment !== undefined) {
    view.setUint8(40, packet.protocol);
    view.setUint16(42, (fragment.offset << 3) | (fragment.isLast ? 0 : 1));
    view.setUint32(44, fragment.identification);
  }
  octets.set(payload, headers);
  return octets;
}

/** What the header says of the payload's length: its own, and what was cut off of it before. */
function lengthOf({ statedLength, payload: before }: Packet, payload: Uint8Array): number {
  return payload.length + Math.max(0, statedLength - before.length);
}

/** TCP, UDP and everything whose checksum covers no addresses. */
function transportPayload(packet: Packet, addresses: Addresses, extent: Extent): Uint8Array | undefined {
  const at = CHECKSUM_AT[packet.protocol];
  const isFirst = packet.fragment === undefined || packet.fragment.offset === 0;
  if (at === undefined || !isFirst) return packet.payload;
  if (packet.payload.length < at + 2) return extent === "quoted" ? packet.payload : undefined;
  const payload = packet.payload.slice();
  const view = viewOf(payload);
  const before = view.getUint16(at);
  if (before === 0 && packet.protocol === UDP) {
    if (extent === "quoted") return payload;
    return packet.fragment === undefined ? withUdpChecksum(payload, addresses) : undefined;
  }
  const after = updated(before, sumOf([packet.source, packet.destination]), sumOf(addresses));
  view.setUint16(at, after === 0 && packet.protocol === UDP ? 0xffff : after);
  return payload;
}

/** IPv4 allows UDP without a checksum, IPv6 does not (RFC 7915 section 4.5). */
function withUdpChecksum(payload: Uint8Array, [source, destination]: Addresses): Uint8Array {
  const sum = internetChecksum(
    ipv6PseudoHeader({ source, destination, length: payload.length, nextHeader: UDP }),
    payload,
  );
  viewOf(payload).setUint16(6, sum || 0xffff);
  return payload;
}

function sumOf(addresses: readonly string[]): number {
  return addresses.reduce((sum, ip) => sum + sumWords(addressToBytes(ip)), 0);
}

/** A checksum after a part of what it covers has changed (RFC 1624 section 3, equation 3). */
function updated(checksum: number, before: number, after: number): number {
  return foldCarries((checksum ^ 0xffff) + (foldCarries(before) ^ 0xffff) + foldCarries(after)) ^ 0xffff;
}

/** ICMP types and codes that have a counterpart, with what the field at octet 4 becomes. */
const ECHO = { 4: [8, 0], 6: [128, 129] } as const;

/** Where the packet that an ICMP error is about begins. */
const QUOTED_AT = 8;

/** A packet in an ICMP error is no longer than this, so that the error fits into what every path carries. */
const MOST_QUOTED = { 4: 548, 6: 1232 } as const;

function icmpToIpv4({ payload, fragment }: Packet, readdress: Readdress, extent: Extent): Uint8Array | undefined {
  if (payload.length < QUOTED_AT || fragment !== undefined) return undefined;
  const view = viewOf(payload);
  const [type, code] = [view.getUint8(0), view.getUint8(1)];
  const echo = ECHO[4][ECHO[6].findIndex((each) => each === type)];
  if (echo !== undefined) return icmpMessage([echo, 0], view.getUint32(4), payload.subarray(QUOTED_AT));
  const header = errorToIpv4(type, code, view.getUint32(4));
  const quoted = header && extent === "whole" ? readIpv6(payload.subarray(QUOTED_AT)) : undefined;
  const about = quoted && toIpv4(quoted, turned(readdress), "quoted");
  return header && about && icmpMessage(header.kind, header.field, about.subarray(0, MOST_QUOTED[4]));
}

function icmpToIpv6(
  { payload, fragment }: Packet,
  [source, destination]: Addresses,
  readdress: Readdress,
  extent: Extent,
): Uint8Array | undefined {
  if (payload.length < QUOTED_AT || fragment !== undefined) return undefined;
  const view = viewOf(payload);
  const [type, code] = [view.getUint8(0), view.getUint8(1)];
  const message = (kind: IcmpKind, field: number, rest: Uint8Array): Uint8Array =>
    icmpMessage(kind, field, rest, (length) => ipv6PseudoHeader({ source, destination, length, nextHeader: ICMPV6 }));
  const echo = ECHO[6][ECHO[4].findIndex((each) => each === type)];
  if (echo !== undefined) return message([echo, 0], view.getUint32(4), payload.subarray(QUOTED_AT));
  const header = errorToIpv6(type, code, view.getUint32(4));
  const quoted = header && extent === "whole" ? readIpv4(payload.subarray(QUOTED_AT)) : undefined;
  const about = quoted && toIpv6(quoted, turned(readdress), "quoted");
  return header && about && message(header.kind, header.field, about.subarray(0, MOST_QUOTED[6]));
}

/** The packet that an error is about went the other way. */
function turned(readdress: Readdress): Readdress {
  return (source, destination) => {
    const other = readdress(destination, source);
    return other && [other[1], other[0]];
  };
}

type IcmpKind = readonly [type: number, code: number];

interface ErrorHeader {
  readonly kind: IcmpKind;
  /** The four octets after the checksum. */
  readonly field: number;
}

/** An IPv4 header is this much shorter than an IPv6 one. */
const HEADER_DIFFERENCE = IPV6_HEADER - IPV4_HEADER;

/** RFC 7915 section 5.2. */
function errorToIpv4(type: number, code: number, field: number): ErrorHeader | undefined {
  switch (type) {
    case 1:
      return { kind: [3, [1, 10, 1, 1, 3][code] ?? 1], field: 0 };
    case 2:
      return { kind: [3, 4], field: Math.min(Math.max(field - HEADER_DIFFERENCE, 0), 0xffff) };
    case 3:
      return { kind: [11, code], field: 0 };
    default:
      return undefined;
  }
}

/** Codes of ICMP `unreachable` that say that policy forbids. */
const PROHIBITED = [9, 10, 13, 15];

/** RFC 7915 section 4.2. */
function errorToIpv6(type: number, code: number, field: number): ErrorHeader | undefined {
  if (type === 11) return { kind: [3, code], field: 0 };
  if (type !== 3) return undefined;
  const mtu = field & 0xffff;
  if (code === 4) return { kind: [2, 0], field: Math.max(mtu + HEADER_DIFFERENCE, IPV6_MINIMUM_MTU) };
  if (code === 3) return { kind: [1, 4], field: 0 };
  return { kind: [1, PROHIBITED.includes(code) ? 1 : 0], field: 0 };
}

function icmpMessage(
  kind: IcmpKind,
  field: number,
  rest: Uint8Array,
  pseudoHeader: (length: number) => Uint8Array = () => new Uint8Array(0),
): Uint8Array {
  const octets = new Uint8Array(QUOTED_AT + rest.length);
  octets.set(kind);
  viewOf(octets).setUint32(4, field);
  octets.set(rest, QUOTED_AT);
  viewOf(octets).setUint16(2, internetChecksum(pseudoHeader(octets.length), octets));
  return octets;
}

function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.length);
}
