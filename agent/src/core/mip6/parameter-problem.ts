/**
 * The answer of a node without Mobile IPv6 to a Mobility Header: ICMPv6 Parameter Problem, unrecognized Next Header
 * (RFC 4443 section 3.4; RFC 6275 section 11.3.5).
 */

import { addressFromBytes } from "../address.ts";
import { ByteReader } from "../bytes.ts";
import { hasValidChecksum, ipv6PseudoHeader } from "../checksum.ts";
import { type Ipv6Packet, NEXT_HEADER } from "./ipv6-packet.ts";

/** The ICMPv6 type that `refusedHeader` reads. */
export const PARAMETER_PROBLEM = 4;

const UNRECOGNIZED_NEXT_HEADER = 1;

/** Offsets in the original packet: the field in error (Next Header), and the payload length. */
const NEXT_HEADER_AT = 6;
const PAYLOAD_LENGTH_AT = 4;
const ADDRESS_LENGTH = 16;

/**
 * The quoted part of a Mobility Header that the packet's sender does not support; undefined for any other packet. An
 * ICMPv6 error of at most 1280 octets quotes no more than fits (RFC 4443 section 2.4 (c)). Addresses and checksum
 * verify nothing: the caller compares the quote with what it sent.
 */
export function refusedHeader({ source, destination, nextHeader, payload }: Ipv6Packet): Uint8Array | undefined {
  if (nextHeader !== NEXT_HEADER.icmpv6) return undefined;
  const reader = new ByteReader(payload);
  const [type, code] = [reader.u8(), reader.u8()];
  reader.skip(2);
  const pointer = reader.u32();
  reader.skip(PAYLOAD_LENGTH_AT);
  const headerLength = reader.u16();
  const refused = reader.u8();
  reader.skip(1);
  const sender = reader.bytes(ADDRESS_LENGTH);
  const receiver = reader.bytes(ADDRESS_LENGTH);
  if (reader.overrun || type !== PARAMETER_PROBLEM || code !== UNRECOGNIZED_NEXT_HEADER) return undefined;
  const isAboutHeader = pointer === NEXT_HEADER_AT && refused === NEXT_HEADER.mobility;
  const isAboutThem = addressFromBytes(sender) === destination && addressFromBytes(receiver) === source;
  const pseudoHeader = ipv6PseudoHeader({ source, destination, length: payload.length, nextHeader });
  if (!isAboutHeader || !isAboutThem || !hasValidChecksum(pseudoHeader, payload)) return undefined;
  return reader.rest().subarray(0, headerLength);
}
