/** STUN attributes: values as data, and numbers (IANA "STUN Attributes"). */

import type { SocketAddress } from "../address.ts";

/** Value of ERROR-CODE: `code` 300..699, `reason` for people (RFC 8489 section 14.8). */
export interface StunError {
  readonly code: number;
  readonly reason: string;
}

/** Value of CHANGE-REQUEST: from which other address or port to answer (RFC 5780 section 7.2). */
export interface ChangeRequest {
  readonly changeIp: boolean;
  readonly changePort: boolean;
}

/** Value of each attribute. */
export interface StunAttributeValues {
  readonly "mapped-address": SocketAddress;
  readonly "change-request": ChangeRequest;
  /** At most 512 octets of UTF-8. */
  readonly username: string;
  /** HMAC-SHA1, 20 octets. */
  readonly "message-integrity": Uint8Array;
  readonly "error-code": StunError;
  /** Numbers of the attributes that were not understood. */
  readonly "unknown-attributes": readonly number[];
  readonly realm: string;
  readonly nonce: string;
  readonly "xor-mapped-address": SocketAddress;
  /** 0..2^32-1. */
  readonly priority: number;
  readonly "use-candidate": true;
  /** Octets of padding. */
  readonly padding: number;
  /** UDP port of the requester to answer to. */
  readonly "response-port": number;
  readonly software: string;
  readonly "alternate-server": SocketAddress;
  /** CRC-32 of what precedes it XOR 0x5354554E. */
  readonly fingerprint: number;
  /** Tie-breaker, 64 bits. */
  readonly "ice-controlled": bigint;
  /** Tie-breaker, 64 bits. */
  readonly "ice-controlling": bigint;
  readonly "response-origin": SocketAddress;
  readonly "other-address": SocketAddress;
}

/** Names of the attributes that this codec supports. */
export type StunAttributeType = keyof StunAttributeValues;

/** An attribute of one of the named types. */
export type KnownAttribute<T extends StunAttributeType = StunAttributeType> = {
  readonly [K in T]: { readonly type: K; readonly value: StunAttributeValues[K] };
}[T];

/** An attribute that this codec does not support; `isComprehensionRequired` shows what the receiver has to do. */
interface UnknownAttribute {
  readonly type: "unknown";
  /** 0..0xFFFF. */
  readonly number: number;
  readonly value: Uint8Array;
}

/** One attribute, discriminated by `type`. */
export type StunAttribute = KnownAttribute | UnknownAttribute;

/** Attribute numbers of RFC 8489 section 18.3, RFC 8445 section 20.2 and RFC 5780 section 9.1. */
export const ATTRIBUTE_NUMBERS = {
  "mapped-address": 0x0001,
  "change-request": 0x0003,
  username: 0x0006,
  "message-integrity": 0x0008,
  "error-code": 0x0009,
  "unknown-attributes": 0x000a,
  realm: 0x0014,
  nonce: 0x0015,
  "xor-mapped-address": 0x0020,
  priority: 0x0024,
  "use-candidate": 0x0025,
  padding: 0x0026,
  "response-port": 0x0027,
  software: 0x8022,
  "alternate-server": 0x8023,
  fingerprint: 0x8028,
  "ice-controlled": 0x8029,
  "ice-controlling": 0x802a,
  "response-origin": 0x802b,
  "other-address": 0x802c,
} as const satisfies Record<StunAttributeType, number>;

/** Number of an attribute on the wire. */
export function attributeNumber(attribute: StunAttribute): number {
  return attribute.type === "unknown" ? attribute.number : ATTRIBUTE_NUMBERS[attribute.type];
}

/** True for attributes that a receiver has to understand before it may act (0x0000..0x7FFF). */
export function isComprehensionRequired(number: number): boolean {
  return number < 0x8000;
}
