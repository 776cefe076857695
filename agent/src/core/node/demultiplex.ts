/**
 * What a UDP payload is on a port that STUN, DSMIPv6 tunnels, checks and data share: section 12 of the draft made
 * precise in SPEC 8.5. The kinds cannot be confused: 4 or 6 in the first nibble never begins a STUN message, and of
 * what begins like one only a FINGERPRINT that fits makes it STUN.
 */

import { ByteReader } from "../bytes.ts";
import { verifyFingerprint } from "../stun/fingerprint.ts";
import { HEADER_LENGTH, MAGIC_COOKIE } from "../stun/header.ts";

/** Why a payload is nothing known: the first rule that it began to fit, or none. */
type UnknownReason = "empty" | "ipv6-truncated" | "ipv4-malformed" | "stun-without-fingerprint" | "unrecognised";

/** A payload by kind. All octets are views into it; an IP packet is cut to the length that its header gives. */
export type DemultiplexedPayload =
  | { readonly kind: "stun"; readonly bytes: Uint8Array }
  | { readonly kind: "ipv6"; readonly packet: Uint8Array }
  | { readonly kind: "ipv4"; readonly packet: Uint8Array }
  /** A bare Mobility Header as in Figure 4 of the draft: recognised, for legacy and tests; DSMIPv6 sends IPv6 packets. */
  | { readonly kind: "mobility-header"; readonly header: Uint8Array }
  /** The form of bajko-mip6-rrtfw on port 500: eight zero octets, then a Mobility Header or an IPv6 packet. */
  | { readonly kind: "rrtfw"; readonly content: RrtfwContent }
  /** One octet 0xFF (RFC 3948 section 2.3), to be ignored. */
  | { readonly kind: "keepalive" }
  | { readonly kind: "unknown"; readonly reason: UnknownReason };

/** What the rrtfw form wraps. */
type RrtfwContent = Extract<DemultiplexedPayload, { readonly kind: "ipv6" | "mobility-header" }>;

/** `acceptRrtfw`: whether the port-500 form is looked for. */
export interface DemultiplexOptions {
  readonly acceptRrtfw: boolean;
}

/** Sorts one UDP payload. Never throws, never copies. */
export function demultiplex(
  payload: Uint8Array,
  options: DemultiplexOptions = { acceptRrtfw: false },
): DemultiplexedPayload {
  const first = payload[0];
  if (first === undefined) return { kind: "unknown", reason: "empty" };
  if (payload.length === 1 && first === 0xff) return { kind: "keepalive" };
  return (
    ipv6Packet(payload) ??
    ipv4Packet(payload) ??
    stunMessage(payload) ??
    mobilityHeader(payload) ??
    (options.acceptRrtfw ? rrtfwMessage(payload) : undefined) ?? { kind: "unknown", reason: reasonOf(payload) }
  );
}

const IPV6_HEADER_LENGTH = 40;
const IPV4_MIN_HEADER_LENGTH = 20;
/** Payload Proto of a Mobility Header: IPPROTO_NONE (RFC 6275 section 6.1.1). */
const NO_NEXT_HEADER = 59;
const RRTFW_PREFIX_LENGTH = 8;

function ipv6Packet(payload: Uint8Array): RrtfwContent | undefined {
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
  return verifyFingerprint(payload) ? { kind: "stun", bytes: payload } : undefined;
}

/** Payload Proto 59, and Header Len, in units of eight octets without the first, says exactly what there is. */
function mobilityHeader(payload: Uint8Array): RrtfwContent | undefined {
  const reader = new ByteReader(payload);
  const payloadProto = reader.u8();
  const length = (reader.u8() + 1) * 8;
  const isHeader = payloadProto === NO_NEXT_HEADER && length === payload.length;
  return isHeader ? { kind: "mobility-header", header: payload } : undefined;
}

function rrtfwMessage(payload: Uint8Array): DemultiplexedPayload | undefined {
  if (payload.length < RRTFW_PREFIX_LENGTH) return undefined;
  if (payload.subarray(0, RRTFW_PREFIX_LENGTH).some((octet) => octet !== 0)) return undefined;
  const rest = payload.subarray(RRTFW_PREFIX_LENGTH);
  const content = mobilityHeader(rest) ?? ipv6Packet(rest);
  return content && { kind: "rrtfw", content };
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
