/** How far an address reaches, by the blocks that are set aside for less than the internet. */

import { addressToBytes, familyOf } from "./address.ts";
import { type Prefix, prefixContains } from "./prefix.ts";

/** True for IPv4 addresses of RFC 1918 and for the shared space of RFC 6598. */
export function isPrivateIpv4(ip: string): boolean {
  return familyOf(ip) === 4 && isWithin(ip, PRIVATE_IPV4);
}

/** True for private addresses of both IP versions; those of IPv6 are unique local ones (RFC 4193). */
export function isPrivate(ip: string): boolean {
  return familyOf(ip) === 4 ? isPrivateIpv4(ip) : isWithin(ip, UNIQUE_LOCAL);
}

/** True for addresses that count on one link only (RFC 3927, RFC 4291 section 2.5.6). */
export function isLinkLocal(ip: string): boolean {
  return isWithin(ip, familyOf(ip) === 4 ? LINK_LOCAL_IPV4 : LINK_LOCAL_IPV6);
}

/** True for addresses that are unicast and mean one node wherever they are known: a host candidate has one. */
export function isRoutable(ip: string): boolean {
  return !isLinkLocal(ip) && !isWithin(ip, familyOf(ip) === 4 ? NOWHERE_IPV4 : NOWHERE_IPV6);
}

function block(ip: string, length: number): Prefix {
  return { octets: addressToBytes(ip), length };
}

const PRIVATE_IPV4 = [block("10.0.0.0", 8), block("172.16.0.0", 12), block("192.168.0.0", 16), block("100.64.0.0", 10)];
const UNIQUE_LOCAL = [block("fc00::", 7)];
const LINK_LOCAL_IPV4 = [block("169.254.0.0", 16)];
const LINK_LOCAL_IPV6 = [block("fe80::", 10)];
/** This network, loopback, multicast, reserved and broadcast. */
const NOWHERE_IPV4 = [block("0.0.0.0", 8), block("127.0.0.0", 8), block("224.0.0.0", 3)];
/** Unspecified and loopback, IPv4-mapped, multicast. */
const NOWHERE_IPV6 = [block("::", 127), block("::ffff:0:0", 96), block("ff00::", 8)];

function isWithin(ip: string, blocks: readonly Prefix[]): boolean {
  const octets = addressToBytes(ip);
  return blocks.some((each) => prefixContains(each, octets));
}
