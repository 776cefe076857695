/** Address prefixes in CIDR form. */

import { addressToBytes } from "../core/address.ts";

export interface Prefix {
  readonly octets: Uint8Array;
  /** Significant bits. */
  readonly length: number;
}

/** Reads `192.168.1.0/24` or `2001:db8::/32`; throws RangeError on anything else. */
export function parsePrefix(text: string): Prefix {
  const [ip = "", bits = ""] = text.split("/");
  const octets = addressToBytes(ip);
  const length = Number(bits);
  if (!/^\d+$/.test(bits) || length > octets.length * 8) throw new RangeError(`not a prefix: ${text}`);
  return { octets, length };
}

/** True when the address is in the prefix; false for the other IP version. */
export function prefixContains(prefix: Prefix, ip: string): boolean {
  const address = addressToBytes(ip);
  if (address.length !== prefix.octets.length) return false;
  return address.every((octet, i) => {
    const significant = Math.min(Math.max(prefix.length - i * 8, 0), 8);
    return (octet ^ (prefix.octets[i] ?? 0)) >> (8 - significant) === 0;
  });
}
