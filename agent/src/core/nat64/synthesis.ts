/** IPv4 addresses as IPv6 ones (RFC 6052 section 2.2): the prefix of a NAT64, and the IPv4 address behind it (SPEC 7.4). */

import { addressFromBytes, addressToBytes } from "../address.ts";
import { type Prefix, parseIpv6Prefix, prefixContains } from "../prefix.ts";

/** The lengths that a NAT64 prefix may have, in bits. */
export const NAT64_PREFIX_LENGTHS: readonly number[] = [32, 40, 48, 56, 64, 96];

/** Octet 8 (bits 64 to 71) is zero in every synthesised address; the IPv4 octets go round it. */
const RESERVED_OCTET = 8;

export interface Synthesis {
  /** The IPv6 address that stands for an IPv4 one. */
  readonly toIpv6: (ipv4: string) => string;
  /** The IPv4 address that an IPv6 one stands for; undefined for one that does not carry the prefix. */
  readonly toIpv4: (ipv6: string) => string | undefined;
}

/** Reads a prefix such as `64:ff9b::/96`. Throws RangeError for another length than those of RFC 6052. */
export function createSynthesis(prefix: string): Synthesis {
  const parsed = parseIpv6Prefix(prefix);
  if (!NAT64_PREFIX_LENGTHS.includes(parsed.length)) throw new RangeError(`not a prefix of a NAT64: ${prefix}`);
  const places = ipv4Places(parsed);
  const blank = parsed.octets.slice();
  blank.fill(0, parsed.length / 8);
  return {
    toIpv6(ipv4) {
      const octets = blank.slice();
      addressToBytes(ipv4).forEach((octet, i) => octets.set([octet], places[i] ?? 0));
      return addressFromBytes(octets);
    },
    toIpv4(ipv6) {
      const octets = addressToBytes(ipv6);
      if (!prefixContains(parsed, octets) || octets[RESERVED_OCTET] !== blank[RESERVED_OCTET]) return undefined;
      return addressFromBytes(Uint8Array.from(places, (at) => octets[at] ?? 0));
    },
  };
}

/** Where the four octets of an IPv4 address are. */
function ipv4Places({ length }: Prefix): readonly number[] {
  const first = length / 8;
  const following = Array.from({ length: 5 }, (_, i) => first + i);
  return (length === 96 ? following : following.filter((at) => at !== RESERVED_OCTET)).slice(0, 4);
}
