/**
 * The IPv4 addresses by which a NAT64 knows the IPv6 hosts in front of it. Each host has one for good, so that the NAT
 * behind sees a host's ports as ports of one host.
 *
 * Addresses of the inside network that are written after its marker stand for a pool address by rule (RFC 7757); every
 * other host gets the next one of the pool's upper half when it first sends.
 */

import { addressFromBytes, addressToBytes } from "../address.ts";
import { parseIpv6Prefix, parsePrefix, prefixContains } from "../prefix.ts";

/** An IPv6-only network behind a NAT64. */
export interface Nat64Network {
  /** Its IPv6 prefix, at most 96 bits long. */
  readonly ipv6: string;
  /** IPv4 network of 256 addresses that the NAT64 knows its hosts by. */
  readonly pool: string;
}

export interface HostTable {
  /** The IPv4 address of a host; undefined for one of no network here, or when the pool is used up. */
  toIpv4(ipv6: string): string | undefined;
  /** The host with an IPv4 address; undefined for one that nobody has. */
  toIpv6(ipv4: string): string | undefined;
}

/** The last four octets of an address that a node has for IPv4 alone: a marker, and the last octet of its pool address. */
const MARKER = [0xc1, 0xa7, 0] as const;

/** The first address of a pool for hosts that come without one. */
const FIRST_GUEST = 128;
const LAST_GUEST = 254;

/** The IPv6 address, in a network of at most 96 bits, from which a node sends for its IPv4 address in the pool. */
export function translatedSource(ipv6Network: string, ipv4: string): string {
  const octets = parseIpv6Prefix(ipv6Network).octets.slice();
  octets.set([...MARKER, addressToBytes(ipv4)[3] ?? 0], 12);
  return addressFromBytes(octets);
}

/** A table in which nobody has sent yet. */
export function createHostTable(networks: readonly Nat64Network[]): HostTable {
  const guests = new Map<string, string>();
  const owners = new Map<string, string>();
  const parsed = networks.map(({ ipv6, pool }) => ({
    ipv6,
    inside: parseIpv6Prefix(ipv6),
    pool: parsePrefix(pool),
    next: FIRST_GUEST,
  }));
  type Network = (typeof parsed)[number];
  const poolAddress = ({ pool }: Network, last: number): string =>
    addressFromBytes(Uint8Array.of(...pool.octets.subarray(0, 3), last));
  const guestAddress = (network: Network, ipv6: string): string | undefined => {
    const known = guests.get(ipv6);
    if (known !== undefined) return known;
    if (network.next > LAST_GUEST) return undefined;
    const ipv4 = poolAddress(network, network.next);
    network.next += 1;
    guests.set(ipv6, ipv4);
    owners.set(ipv4, ipv6);
    return ipv4;
  };
  return {
    toIpv4(ipv6) {
      const octets = addressToBytes(ipv6);
      const network = parsed.find(({ inside }) => prefixContains(inside, octets));
      if (network === undefined) return undefined;
      const last = octets[15] ?? 0;
      const byRule = poolAddress(network, last);
      const isByRule = last < FIRST_GUEST && translatedSource(network.ipv6, byRule) === ipv6;
      return isByRule ? byRule : guestAddress(network, ipv6);
    },
    toIpv6(ipv4) {
      const octets = addressToBytes(ipv4);
      const network = parsed.find(({ pool }) => prefixContains(pool, octets));
      if (network === undefined) return undefined;
      return (octets[3] ?? 0) < FIRST_GUEST ? translatedSource(network.ipv6, ipv4) : owners.get(ipv4);
    },
  };
}
