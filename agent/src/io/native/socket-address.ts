/** `struct sockaddr_in` and `sockaddr_in6` of Linux. */

import { addressFromBytes, addressToBytes, type Family, type SocketAddress } from "../../core/address.ts";

const AF_INET = 2;
const AF_INET6 = 10;

/** Large enough for either. */
export const SOCKADDR_BYTES = 28;

const PORT_AT = 2;
const IPV4_AT = 4;
const IPV6_AT = 8;
const IPV4_LENGTH = 16;

/** Address family of `socket(2)` for an IP version. */
export function addressFamily(family: Family): number {
  return family === 4 ? AF_INET : AF_INET6;
}

export function encodeSocketAddress({ ip, port }: SocketAddress): Uint8Array {
  const address = addressToBytes(ip);
  const isIpv4 = address.length === 4;
  const octets = new Uint8Array(isIpv4 ? IPV4_LENGTH : SOCKADDR_BYTES);
  octets[0] = isIpv4 ? AF_INET : AF_INET6;
  octets[PORT_AT] = port >> 8;
  octets[PORT_AT + 1] = port & 0xff;
  octets.set(address, isIpv4 ? IPV4_AT : IPV6_AT);
  return octets;
}

/** Decodes an address from the kernel; the scope of a link-local one is left out. */
export function decodeSocketAddress(octets: Uint8Array): SocketAddress {
  const isIpv4 = octets[0] === AF_INET;
  const address = isIpv4 ? octets.subarray(IPV4_AT, IPV4_AT + 4) : octets.subarray(IPV6_AT, IPV6_AT + 16);
  return { ip: addressFromBytes(address), port: portOf(octets) };
}

/** Whether the octets are long enough for an address of their family. */
export function isSocketAddress(octets: Uint8Array): boolean {
  const length = octets[0] === AF_INET ? IPV4_LENGTH : octets[0] === AF_INET6 ? SOCKADDR_BYTES : Infinity;
  return octets.length >= length;
}

function portOf(octets: Uint8Array): number {
  return ((octets[PORT_AT] ?? 0) << 8) | (octets[PORT_AT + 1] ?? 0);
}
