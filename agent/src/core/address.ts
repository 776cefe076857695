/**
 * Transport addresses as canonical text: IPv4 dotted quad, IPv6 in RFC 5952 form, so that `===` compares addresses.
 * Bytes appear only at the edges (codecs).
 */

/** IP version. */
export type Family = 4 | 6;

/** A UDP transport address. `ip` is canonical text (RFC 5952 for IPv6), `port` 0..65535. */
export interface SocketAddress {
  readonly ip: string;
  readonly port: number;
}

/** Octets of an address in network order: four for IPv4 text, else sixteen. */
export function addressToBytes(ip: string): Uint8Array {
  return familyOf(ip) === 4 ? ipv4ToBytes(ip) : ipv6ToBytes(ip);
}

/** Canonical text of four (IPv4) or sixteen (IPv6, RFC 5952) octets. */
export function addressFromBytes(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length === 16) return ipv6FromBytes(bytes);
  throw new RangeError(`an address has 4 or 16 octets, not ${bytes.length}`);
}

/** IP version of address text. */
export function familyOf(ip: string): Family {
  return ip.includes(":") ? 6 : 4;
}

/** Converts address text to the canonical form. Throws RangeError when it is not an address. */
export function canonicalAddress(ip: string): string {
  return addressFromBytes(addressToBytes(ip));
}

/** True for equal transport addresses. */
export function sameSocketAddress(a: SocketAddress, b: SocketAddress): boolean {
  return a.port === b.port && a.ip === b.ip;
}

/** `192.0.2.1:5000` or `[2001:db8::1]:5000`; usable as a map key. */
export function formatSocketAddress({ ip, port }: SocketAddress): string {
  return familyOf(ip) === 6 ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** The IPv4-mapped IPv6 form `::ffff:a.b.c.d` of an IPv4 address (RFC 4291 section 2.5.5.2) as sixteen octets. */
export function mappedIpv6Bytes(ipv4: string): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set([0xff, 0xff], 10);
  bytes.set(ipv4ToBytes(ipv4), 12);
  return bytes;
}

/** The IPv4 address inside sixteen IPv4-mapped octets, or undefined when they are not mapped. */
export function unmappedIpv4(bytes: Uint8Array): string | undefined {
  const isMapped =
    bytes.length === 16 && bytes.subarray(0, 10).every((b) => b === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? bytes.subarray(12).join(".") : undefined;
}

function ipv4ToBytes(ip: string): Uint8Array {
  const parts = ip.split(".");
  const bytes = parts.map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  if (bytes.length !== 4 || bytes.some((b) => b > 255)) throw new RangeError(`not an IPv4 address: ${ip}`);
  return Uint8Array.from(bytes);
}

function ipv6ToBytes(ip: string): Uint8Array {
  const lastColon = ip.lastIndexOf(":");
  const tail = ip.slice(lastColon + 1);
  const text = tail.includes(".") ? ip.slice(0, lastColon + 1) + groupsOfIpv4(tail) : ip;
  const halves = text.split("::");
  if (halves.length > 2) throw new RangeError(`not an IPv6 address: ${ip}`);
  const [head, rest] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const left = head ?? [];
  const right = rest ?? [];
  const missing = 8 - left.length - right.length;
  const isComplete = halves.length === 2 ? missing >= 1 : missing === 0;
  const groups = [...left, ...Array<string>(Math.max(missing, 0)).fill("0"), ...right];
  if (!isComplete || groups.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group)))
    throw new RangeError(`not an IPv6 address: ${ip}`);
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]),
  );
}

function groupsOfIpv4(ip: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4ToBytes(ip);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`, mapped addresses dotted. */
function ipv6FromBytes(bytes: Uint8Array): string {
  const mapped = unmappedIpv4(bytes);
  if (mapped !== undefined) return `::ffff:${mapped}`;
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  const run = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (run.length < 2) return hex.join(":");
  return `${hex.slice(0, run.start).join(":")}::${hex.slice(run.start + run.length).join(":")}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  groups.forEach((group, i) => {
    if (group !== 0) start = i + 1;
    else if (i + 1 - start > best.length) best = { start, length: i + 1 - start };
  });
  return best;
}
