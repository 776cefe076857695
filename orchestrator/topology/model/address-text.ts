/**
 * Addresses and networks as text: validity, arithmetic and relations. IPv6 text that is returned is canonical (RFC
 * 5952).
 */

import ipaddr from "ipaddr.js";

/** IP version. */
export type Family = 4 | 6;

/** A network: IP version, its first address as a number, and the length of its prefix. */
export interface Network {
  readonly family: Family;
  readonly base: bigint;
  readonly length: number;
}

/** Why text is no address or network: completes "expected …", with what to write where that is clear. */
export interface AddressProblem {
  readonly expected: string;
  readonly advice?: string;
}

/** What is wrong with an address in a file, or undefined. */
export function addressProblem(text: string, family: Family): AddressProblem | undefined {
  if (isAddress(text, family)) return undefined;
  const expected = `expected an IPv${family} address such as ${EXAMPLE_ADDRESS[family]}`;
  return text.includes("/") ? { expected, advice: "leave the prefix length out" } : { expected };
}

/** What is wrong with a network in a file, or undefined. */
export function networkProblem(text: string, family: Family): AddressProblem | undefined {
  const [address = "", length = "", ...rest] = text.split("/");
  const isWellFormed = isAddress(address, family) && /^\d{1,3}$/.test(length) && rest.length === 0;
  if (!isWellFormed || Number(length) > bitsOf(family))
    return { expected: `expected an IPv${family} network such as ${EXAMPLE_NETWORK[family]}` };
  const network = parseNetwork(text);
  if (offsetIn(network, address) !== 0n)
    return { expected: "expected a network without host bits", advice: `write ${formatNetwork(network)}` };
  const longest = bitsOf(family) - 2;
  if (network.length > longest)
    return { expected: `expected a network with room for two hosts, /${longest} or shorter` };
  return undefined;
}

const EXAMPLE_ADDRESS = { 4: "198.18.0.10", 6: "2001:db8::10" } as const;
const EXAMPLE_NETWORK = { 4: "198.18.0.0/24", 6: "2001:db8:1::/64" } as const;

/** Whether the text is an address of that IP version, four full octets for IPv4 and no zone for IPv6. */
export function isAddress(text: string, family: Family): boolean {
  return family === 4
    ? ipaddr.IPv4.isValidFourPartDecimal(text)
    : text.includes(":") && !text.includes("%") && ipaddr.IPv6.isValid(text);
}

/** IP version of valid address or network text. */
export function familyOfText(text: string): Family {
  return text.includes(":") ? 6 : 4;
}

/** Reads valid network text; host bits are cut off. */
export function parseNetwork(text: string): Network {
  const [address = "", length = ""] = text.split("/");
  const family = familyOfText(address);
  const hostBits = BigInt(bitsOf(family) - Number(length));
  return { family, base: (addressToNumber(address) >> hostBits) << hostBits, length: Number(length) };
}

/** Canonical CIDR text. */
export function formatNetwork({ family, base, length }: Network): string {
  return `${numberToAddress(base, family)}/${length}`;
}

/** The address `offset` places after the network's first. */
export function addressAt(network: Network, offset: bigint): string {
  return numberToAddress(network.base + offset, network.family);
}

/** How many places an address is after the network's first; negative or too large outside of it. */
export function offsetIn(network: Network, address: string): bigint {
  return addressToNumber(address) - network.base;
}

/** How many addresses a network has. */
export function sizeOf(network: Network): bigint {
  return 1n << BigInt(bitsOf(network.family) - network.length);
}

/** Whether a valid address lies inside the network. */
export function contains(network: Network, address: string): boolean {
  return familyOfText(address) === network.family && containsNumber(network, addressToNumber(address));
}

/** Whether an address of the network's IP version, as a number, lies inside of it. */
export function containsNumber(network: Network, address: bigint): boolean {
  const offset = address - network.base;
  return offset >= 0n && offset < sizeOf(network);
}

/** Whether two networks have an address in common. */
export function overlaps(a: Network, b: Network): boolean {
  return a.family === b.family && a.base < b.base + sizeOf(b) && b.base < a.base + sizeOf(a);
}

/** Canonical text of a valid address. */
export function canonicalText(address: string): string {
  return numberToAddress(addressToNumber(address), familyOfText(address));
}

/** `192.168.1.2/24` without the prefix length. */
export function withoutLength(address: string): string {
  return address.split("/")[0] ?? address;
}

function bitsOf(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** A valid address as a number. */
export function addressToNumber(address: string): bigint {
  return ipaddr
    .parse(address)
    .toByteArray()
    .reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
}

function numberToAddress(value: bigint, family: Family): string {
  const octets = Array.from({ length: bitsOf(family) / 8 }, (_, i) =>
    Number((value >> BigInt(bitsOf(family) - 8 * (i + 1))) & 0xffn),
  );
  return ipaddr.fromByteArray(octets).toString();
}

/** `192.168.1.2:4191`, `[2001:db8::1]:4191` */
export function formatEndpoint({ ip, port }: { readonly ip: string; readonly port: number }): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}
