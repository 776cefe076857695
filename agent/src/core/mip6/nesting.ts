/**
 * Depth of encapsulation of a packet. RFC 2473 section 4.1.1 limits nesting by a destination option in the tunnel's
 * header. The header of a tunnel in UDP is made by the kernel, so the depth is read from the packet instead. A loop
 * adds one level each round, whichever home agents it passes, and ends at the limit.
 */

import { NEXT_HEADER } from "./ipv6-packet.ts";

/**
 * Maximum encapsulations within a packet; configurable in RFC 2473 section 6.6, and 4 is the default of Linux's
 * tunnels.
 */
const ENCAPSULATION_LIMIT = 4;

const IPV6_HEADER_LENGTH = 40;
const UDP_HEADER_LENGTH = 8;
const FRAGMENT_HEADER_LENGTH = 8;
const NEXT_HEADER_AT = 6;

/** True when this IPv6 packet (at least 40 octets) must not be encapsulated again. */
export function isNestedTooDeeply(packet: Uint8Array): boolean {
  let at: number | undefined = 0;
  for (let depth = 0; depth < ENCAPSULATION_LIMIT; depth += 1) {
    at = innerPacketOffset(packet, at);
    if (at === undefined) return false;
  }
  return true;
}

/**
 * Offset of the packet that the one at `start` carries, in UDP or directly; undefined when it carries none. Lengths are
 * not checked: a first fragment shows what it carries as well as a complete packet.
 */
function innerPacketOffset(octets: Uint8Array, start: number): number | undefined {
  let nextHeader = octets[start + NEXT_HEADER_AT];
  let at = start + IPV6_HEADER_LENGTH;
  while (isExtension(nextHeader)) {
    const length = nextHeader === NEXT_HEADER.fragment ? FRAGMENT_HEADER_LENGTH : ((octets[at + 1] ?? 0) + 1) * 8;
    nextHeader = octets[at];
    at += length;
  }
  if (nextHeader === NEXT_HEADER.udp) at += UDP_HEADER_LENGTH;
  else if (nextHeader !== NEXT_HEADER.ipv6) return undefined;
  const isInner = (octets[at] ?? 0) >> 4 === 6 && octets.length >= at + IPV6_HEADER_LENGTH;
  return isInner ? at : undefined;
}

function isExtension(nextHeader: number | undefined): boolean {
  return (
    nextHeader === NEXT_HEADER.hopByHop ||
    nextHeader === NEXT_HEADER.destinationOptions ||
    nextHeader === NEXT_HEADER.fragment
  );
}
