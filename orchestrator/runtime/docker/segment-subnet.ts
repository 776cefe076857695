/**
 * The throwaway addresses that Docker requires for a segment. Nodes find their interfaces by them and then remove them;
 * no packet of a lab ever carries one.
 */

import ipaddr from "ipaddr.js";

/** One segment's subnets in CIDR form. */
export interface SegmentSubnet {
  /** A /26 of 10.128.0.0/9: room for 61 nodes on a segment. */
  readonly ipv4: string;
  /** A unique local /64 (RFC 4193), for engines that would otherwise keep IPv6 off the segment. */
  readonly ipv6?: string;
}

/** Addresses of one endpoint, without prefix length. */
export interface SegmentAddress {
  readonly ipv4: string;
  readonly ipv6?: string;
}

/** How many random octets `drawSegmentSubnet` uses. */
export const SUBNET_RANDOM_OCTETS = 8;

/** Most endpoints on a segment: a /26 less network, gateway and broadcast address. */
export const MAX_ENDPOINTS = 61;

/** Draws a segment's subnets from `random`, which holds `SUBNET_RANDOM_OCTETS` octets. */
export function drawSegmentSubnet(random: Uint8Array, withIpv6: boolean): SegmentSubnet {
  const [second = 0, third = 0, fourth = 0, ...globalId] = random;
  const ipv4 = `10.${128 | second}.${third}.${fourth & 0xc0}/26`;
  if (!withIpv6) return { ipv4 };
  const hex = globalId.map((octet) => octet.toString(16).padStart(2, "0")).join("");
  return { ipv4, ipv6: `fd${hex.slice(0, 2)}:${hex.slice(2, 6)}:${hex.slice(6, 10)}::/64` };
}

/**
 * Whether a segment's subnet overlaps one of `networks` (CIDR). Networks with a prefix shorter than
 * `WIDEST_AVOIDED_PREFIX` are not counted: too little of the range would be left to draw from.
 */
export function overlapsAny({ ipv4 }: SegmentSubnet, networks: readonly string[]): boolean {
  const segment = ipaddr.IPv4.parseCIDR(ipv4);
  return networks.some((network) => {
    const [address, prefixLength] = ipaddr.IPv4.parseCIDR(network);
    if (prefixLength < WIDEST_AVOIDED_PREFIX) return false;
    return segment[0].match([address, Math.min(prefixLength, segment[1])]);
  });
}

/** The range has a prefix of 9 bits. */
const WIDEST_AVOIDED_PREFIX = 11;

/** The engine's address on the segment. */
export function gatewayAddress(subnet: SegmentSubnet): SegmentAddress {
  return addressAt(subnet, 1);
}

/** Addresses of endpoint number `index`, from 0. Throws RangeError when the segment is full. */
export function endpointAddress(subnet: SegmentSubnet, index: number): SegmentAddress {
  if (index >= MAX_ENDPOINTS) throw new RangeError(`a segment carries at most ${MAX_ENDPOINTS} nodes`);
  return addressAt(subnet, index + 2);
}

function addressAt({ ipv4, ipv6 }: SegmentSubnet, offset: number): SegmentAddress {
  const lastDot = ipv4.lastIndexOf(".");
  const lastOctet = Number(ipv4.slice(lastDot + 1, ipv4.indexOf("/")));
  return {
    ipv4: `${ipv4.slice(0, lastDot)}.${lastOctet + offset}`,
    ...(ipv6 === undefined ? {} : { ipv6: `${ipv6.slice(0, ipv6.indexOf("/"))}${offset.toString(16)}` }),
  };
}
