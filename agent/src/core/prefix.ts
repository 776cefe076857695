/** Prefixes of addresses, compared as octets. */

import { addressToBytes } from "./address.ts";

/** A prefix: an address of its IP version, and its length in bits. */
export interface Prefix {
  readonly octets: Uint8Array;
  readonly length: number;
}

/** Reads `2001:db8:a::/64`; anything else throws RangeError. */
export function parseIpv6Prefix(cidr: string): Prefix {
  const [ip = "", lengthText = ""] = cidr.split("/");
  const octets = addressToBytes(ip);
  const length = /^\d{1,3}$/.test(lengthText) ? Number(lengthText) : Number.NaN;
  if (octets.length !== 16 || !(length <= 128)) throw new RangeError(`not an IPv6 prefix: ${cidr}`);
  return { octets, length };
}

/** True when this address, of as many octets as the prefix, lies inside it. */
export function prefixContains({ octets, length }: Prefix, address: Uint8Array): boolean {
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) if (octets[i] !== address[i]) return false;
  const mask = 0xff & (0xff00 >> (length & 7));
  return mask === 0 || (((octets[whole] ?? 0) ^ (address[whole] ?? 0)) & mask) === 0;
}
