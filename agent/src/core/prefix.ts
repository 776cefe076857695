/** Prefixes of addresses, compared as octets. */

import { addressToBytes } from "./address.ts";

/** A prefix: its address and its length in bits, 0..32 or 0..128. */
export interface Prefix {
  readonly octets: Uint8Array;
  readonly length: number;
}

/** Reads `192.168.1.0/24` or `2001:db8:a::/64`; anything else throws RangeError. */
export function parsePrefix(cidr: string): Prefix {
  const [ip = "", lengthText = ""] = cidr.split("/");
  const octets = addressToBytes(ip);
  const length = /^\d{1,3}$/.test(lengthText) ? Number(lengthText) : Number.NaN;
  if (!(length <= octets.length * 8)) throw new RangeError(`not a prefix: ${cidr}`);
  return { octets, length };
}

/** The same for IPv6 alone. */
export function parseIpv6Prefix(cidr: string): Prefix {
  const prefix = parsePrefix(cidr);
  if (prefix.octets.length !== 16) throw new RangeError(`not an IPv6 prefix: ${cidr}`);
  return prefix;
}

/** True when this address lies inside the prefix; false for one of the other IP version. */
export function prefixContains({ octets, length }: Prefix, address: Uint8Array): boolean {
  if (octets.length !== address.length) return false;
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) if (octets[i] !== address[i]) return false;
  const mask = 0xff & (0xff00 >> (length & 7));
  return mask === 0 || (((octets[whole] ?? 0) ^ (address[whole] ?? 0)) & mask) === 0;
}
