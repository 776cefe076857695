/**
 * Classifies a UDP payload on a port that STUN, DSMIPv6 tunnels, checks and data share (draft section 12, SPEC 8.5).
 * The kinds are unambiguous: no STUN message begins with 4 or 6 in the first nibble, and STUN needs a valid
 * FINGERPRINT.
 */

import { ByteReader } from "../bytes.ts";
import { HEADER_LENGTH, MAGIC_COOKIE } from "../stun/header.ts";
import { type ReceivedStun, receiveStun } from "../stun/receive.ts";

/** Why a payload is of no known kind: the first rule that it began to match, or none. */
type UnknownReason = "empty" | "ipv6-truncated" | "ipv4-malformed" | "stun-without-fingerprint" | "unrecognised";

/** A payload by kind. All octets are views into it; an IP packet is cut to the length in its header. */
export type DemultiplexedPayload =
  /** A decoded Binding message with a valid FINGERPRINT. */
  | ({ readonly kind: "stun" } & ReceivedStun)
  /**
   * The FINGERPRINT is valid, but the message cannot be decoded or has another method; `reason` as in `receiveStun`.
   */
  | { readonly kind: "malformed-stun"; readonly reason: string }
  | { readonly kind: "ipv6"; readonly packet: Uint8Array }
  | { readonly kind: "ipv4"; readonly packet: Uint8Array }
  /** A bare Mobility Header as in Figure 4 of the draft. It is dropped, because DSMIPv6 sends IPv6 packets. */
  | { readonly kind: "mobility-header"; readonly header: Uint8Array }
  /** One octet 0xFF (RFC 3948 section 2.3), ignored. */
  | { readonly kind: "keepalive" }
  | { readonly kind: "unknown"; readonly reason: UnknownReason };

/** Classifies one UDP payload; the only place that decodes STUN. Never throws, never copies. */
export function demultiplex(payload: Uint8Array): DemultiplexedPayload {
  const first = payload[0];
  if (first === undefined) return { kind: "unknown", reason: "empty" };
  if (payload.length === 1 && first === 0xff) return { kind: "keepalive" };
  return (
    ipv6Packet(payload) ??
    ipv4Packet(payload) ??
    stunMessage(payload) ??
    mobilityHeader(payload) ?? { kind: "unknown", reason: reasonOf(payload) }
  );
}

const IPV6_HEADER_LENGTH = 40;
const IPV4_MIN_HEADER_LENGTH = 20;
/** Payload Proto of a Mobility Header: IPPROTO_NONE (RFC 6275 section 6.1.1). */
const NO_NEXT_HEADER = 59;

function ipv6Packet(payload: Uint8Array): DemultiplexedPayload | undefined {
  if (ipVersion(payload) !== 6) return undefined;
  const length = IPV6_HEADER_LENGTH + new ByteReader(payload, 4).u16();
  return length <= payload.length ? { kind: "ipv6", packet: payload.subarray(0, length) } : undefined;
}

function ipv4Packet(payload: Uint8Array): DemultiplexedPayload | undefined {
  if (ipVersion(payload) !== 4) return undefined;
  const reader = new ByteReader(payload);
  const headerLength = (reader.u8() & 0x0f) * 4;
  reader.skip(1);
  const length = reader.u16();
  const isWhole = headerLength >= IPV4_MIN_HEADER_LENGTH && headerLength <= length && length <= payload.length;
  return isWhole ? { kind: "ipv4", packet: payload.subarray(0, length) } : undefined;
}

function stunMessage(payload: Uint8Array): DemultiplexedPayload | undefined {
  const received = receiveStun(payload, { requireFingerprint: true });
  switch (received.kind) {
    case "stun":
      return received;
    case "malformed":
      return { kind: "malformed-stun", reason: received.reason };
    case "not-stun":
      return undefined;
  }
}

/** Payload Proto 59, and Header Len (units of eight octets after the first eight) matches the length. */
function mobilityHeader(payload: Uint8Array): DemultiplexedPayload | undefined {
  const reader = new ByteReader(payload);
  const payloadProto = reader.u8();
  const length = (reader.u8() + 1) * 8;
  const isHeader = payloadProto === NO_NEXT_HEADER && length === payload.length;
  return isHeader ? { kind: "mobility-header", header: payload } : undefined;
}

function reasonOf(payload: Uint8Array): UnknownReason {
  if (ipVersion(payload) === 6) return "ipv6-truncated";
  if (ipVersion(payload) === 4) return "ipv4-malformed";
  return beginsLikeStun(payload) ? "stun-without-fingerprint" : "unrecognised";
}

function ipVersion(payload: Uint8Array): number {
  return (payload[0] ?? 0) >> 4;
}

function beginsLikeStun(payload: Uint8Array): boolean {
  const reader = new ByteReader(payload);
  const type = reader.u16();
  reader.skip(2);
  return payload.length >= HEADER_LENGTH && (type & 0xc000) === 0 && reader.u32() === MAGIC_COOKIE;
}
