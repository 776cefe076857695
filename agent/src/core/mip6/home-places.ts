/** Addresses of a home agent and of its tunnels, at which no mobile node can be. */

import { addressToBytes, canonicalAddress, type SocketAddress } from "../address.ts";
import { parseIpv6Prefix, prefixContains } from "../prefix.ts";

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
