/**
 * Probes of a path's MTU: ICMPv6 echo requests of a chosen size between home addresses (SPEC 8.12). The answer is as
 * long as the request, so one exchange shows that both directions carry it. Every IPv6 host answers.
 */

import { addressFromBytes } from "../address.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";
import { internetChecksum, ipv6PseudoHeader } from "../checksum.ts";
import { destinationBytes, encodeIpv6Packet, NEXT_HEADER, sourceBytes } from "./ipv6-packet.ts";

const ECHO_REQUEST = 128;
const ECHO_REPLY = 129;
const NEXT_HEADER_AT = 6;
const ICMP_AT = 40;
const CHECKSUM_AT = 2;
/** `MICE` and `MTU1`: no other program's echo begins so. */
const MARKER_AT = 48;
const MARKER = [0x4d494345, 0x4d545531] as const;
/** Octets before the filling: IPv6 and ICMPv6 header, marker, token. */
const SHORTEST = 64;

/** Octets of the token that shows that an answer is no forgery. */
export const TOKEN_LENGTH = 8;

/** A probe of `octets`, IPv6 header included, at least 64. */
export function encodeMtuProbe(probe: {
  readonly source: string;
  readonly destination: string;
  readonly octets: number;
  readonly token: Uint8Array;
}): Uint8Array {
  const { source, destination, octets, token } = probe;
  const message = new ByteWriter()
    .u8(ECHO_REQUEST)
    .u8(0)
    .u16(0)
    .u16(0)
    .u16(octets)
    .u32(MARKER[0])
    .u32(MARKER[1])
    .bytes(token)
    .zeros(octets - SHORTEST);
  return encodeEcho(source, destination, message.finish());
}

/** Whether a complete packet is a probe or the answer to one. */
export function mtuProbeKind(packet: Uint8Array): "request" | "reply" | undefined {
  if (packet[NEXT_HEADER_AT] !== NEXT_HEADER.icmpv6 || packet.length < SHORTEST) return undefined;
  const type = packet[ICMP_AT];
  if (type !== ECHO_REQUEST && type !== ECHO_REPLY) return undefined;
  const reader = new ByteReader(packet, MARKER_AT);
  if (reader.u32() !== MARKER[0] || reader.u32() !== MARKER[1]) return undefined;
  return type === ECHO_REQUEST ? "request" : "reply";
}

/** The answer to a probe. */
export function answerMtuProbe(request: Uint8Array): Uint8Array {
  const message = request.slice(ICMP_AT);
  message[0] = ECHO_REPLY;
  message[CHECKSUM_AT] = 0;
  message[CHECKSUM_AT + 1] = 0;
  return encodeEcho(addressFromBytes(destinationBytes(request)), addressFromBytes(sourceBytes(request)), message);
}

/** The token of a probe's answer. */
export function tokenOf(reply: Uint8Array): Uint8Array {
  return reply.subarray(MARKER_AT + 8, MARKER_AT + 8 + TOKEN_LENGTH);
}

function encodeEcho(source: string, destination: string, message: Uint8Array): Uint8Array {
  const nextHeader = NEXT_HEADER.icmpv6;
  const pseudoHeader = ipv6PseudoHeader({ source, destination, length: message.length, nextHeader });
  const checksum = internetChecksum(pseudoHeader, message);
  message[CHECKSUM_AT] = checksum >> 8;
  message[CHECKSUM_AT + 1] = checksum & 0xff;
  return encodeIpv6Packet({ source, destination, nextHeader, payload: message });
}
