/**
 * The Mobility Header (RFC 6275 section 6.1), IPv6 next header 135:
 *
 *      0 Payload Proto (59)   1 Header Len   2 MH Type   3 Reserved   4 Checksum   6 Message Data ...
 *
 * Header Len counts 8-octet units after the first 8 octets, so a header has 8 to 2048 octets.
 */

import { ByteReader, ByteWriter } from "../bytes.ts";
import { hasValidChecksum, internetChecksum, ipv6PseudoHeader } from "../checksum.ts";
import { type Decoded, decoded, malformed } from "../result.ts";
import { encodeIpv6Packet, NEXT_HEADER } from "./ipv6-packet.ts";

/** MH types (RFC 6275 section 6.1; 22 and 23: bajko-mip6-rrtfw-02, A-2). */
export const MH_TYPE = {
  bindingRefreshRequest: 0,
  homeTestInit: 1,
  careOfTestInit: 2,
  homeTest: 3,
  careOfTest: 4,
  bindingUpdate: 5,
  bindingAcknowledgement: 6,
  bindingError: 7,
  careOfTestInitIce: 22,
  careOfTestIce: 23,
} as const;

/** Octet offset of the checksum. */
const CHECKSUM_AT = 4;

/** Octets before the message data. */
export const MESSAGE_DATA_AT = 6;

const NO_NEXT_HEADER = 59;
const MAX_LENGTH = 2048;

/**
 * The addresses of the pseudo-header: source and destination as upper layers see them, so that a home address in a Home
 * Address option or a type 2 routing header counts (RFC 6275 section 6.1.1). RFC 5952 text.
 */
export interface MobilityEndpoints {
  readonly source: string;
  readonly destination: string;
}

/** Adds a header with length and checksum to message data (from octet 6 on, options and padding included). */
export function encodeMobilityHeader(mhType: number, data: Uint8Array, endpoints: MobilityEndpoints): Uint8Array {
  const length = MESSAGE_DATA_AT + data.length;
  if (length % 8 !== 0 || length > MAX_LENGTH)
    throw new RangeError(`a Mobility Header has a multiple of 8 octets up to ${MAX_LENGTH}, not ${length}`);
  const header = new ByteWriter()
    .u8(NO_NEXT_HEADER)
    .u8(length / 8 - 1)
    .u8(mhType)
    .u8(0)
    .u16(0)
    .bytes(data)
    .finish();
  return withChecksum(header, endpoints);
}

/** Puts a complete Mobility Header into an IPv6 packet between the same addresses. */
export function encodeMobilityPacket(header: Uint8Array, endpoints: MobilityEndpoints): Uint8Array {
  return encodeIpv6Packet({ ...endpoints, nextHeader: NEXT_HEADER.mobility, payload: header });
}

/** A copy of the header with its checksum recomputed. */
export function withChecksum(header: Uint8Array, endpoints: MobilityEndpoints): Uint8Array {
  const copy = withoutChecksum(header);
  const checksum = internetChecksum(pseudoHeader(copy.length, endpoints), copy);
  new DataView(copy.buffer).setUint16(CHECKSUM_AT, checksum);
  return copy;
}

/** A copy of the header with checksum zero, as covered by authenticators. */
export function withoutChecksum(header: Uint8Array): Uint8Array {
  const copy = new Uint8Array(header);
  copy.fill(0, CHECKSUM_AT, CHECKSUM_AT + 2);
  return copy;
}

/**
 * Checks the framing of a Mobility Header and returns its type. Refuses `truncated`, `payload-proto`, `mobility-length`
 * (Header Len and octets differ) and `mobility-checksum`.
 */
export function decodeMobilityHeader(header: Uint8Array, endpoints: MobilityEndpoints): Decoded<{ mhType: number }> {
  const reader = new ByteReader(header);
  const payloadProto = reader.u8();
  const headerLen = reader.u8();
  const mhType = reader.u8();
  if (header.length < 8) return malformed("truncated", header.length);
  if (payloadProto !== NO_NEXT_HEADER) return malformed("payload-proto", 0);
  if ((headerLen + 1) * 8 !== header.length) return malformed("mobility-length", 1);
  if (!hasValidChecksum(pseudoHeader(header.length, endpoints), header))
    return malformed("mobility-checksum", CHECKSUM_AT);
  return decoded({ mhType });
}

function pseudoHeader(length: number, { source, destination }: MobilityEndpoints): Uint8Array {
  return ipv6PseudoHeader({ source, destination, length, nextHeader: NEXT_HEADER.mobility });
}
