/** Addresses of a home agent and of its tunnels, at which no mobile node can be. */

import { addressToBytes, canonicalAddress, familyOf, type SocketAddress } from "../address.ts";
import { parseIpv6Prefix, prefixContains } from "./prefix.ts";

/** Addresses of a home agent. */
interface HomePlacesConfig {
  /** CIDR form; anything else throws RangeError. */
  readonly homePrefix: string;
  readonly tunnelSockets: readonly SocketAddress[];
  readonly stunSockets: readonly SocketAddress[];
}

export interface HomePlaces {
  /** True when these sixteen octets lie inside the home prefix. */
  isInHomePrefix(address: Uint8Array): boolean;
  /** True for the home agent's addresses and the home prefix: a tunnel that ends there would lead into itself. */
  isHere(ip: string): boolean;
}

export function createHomePlaces({ homePrefix, tunnelSockets, stunSockets }: HomePlacesConfig): HomePlaces {
  const prefix = parseIpv6Prefix(homePrefix);
  const own = new Set([...tunnelSockets, ...stunSockets].map(({ ip }) => canonicalAddress(ip)));
  const isInHomePrefix = (address: Uint8Array): boolean => address.length === 16 && prefixContains(prefix, address);
  return { isInHomePrefix, isHere: (ip) => own.has(ip) || isInHomePrefix(addressToBytes(ip)) };
}

/** True for IPv4 addresses of RFC 1918 and for the shared space of RFC 6598. */
export function isPrivateIpv4(ip: string): boolean {
  return familyOf(ip) === 4 && PRIVATE_NETWORKS.some((network) => prefixContains(network, addressToBytes(ip)));
}

const PRIVATE_NETWORKS = [
  { octets: addressToBytes("10.0.0.0"), length: 8 },
  { octets: addressToBytes("172.16.0.0"), length: 12 },
  { octets: addressToBytes("192.168.0.0"), length: 16 },
  { octets: addressToBytes("100.64.0.0"), length: 10 },
] as const;
