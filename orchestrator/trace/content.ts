/**
 * What a UDP payload is. A TURN server and its client wrap the data that it relays (RFC 8656 sections 11 and 12): the
 * content is what is inside.
 */

export const CONTENT_KINDS = ["stun", "data"] as const;

/** `stun`: STUN and TURN messages, other than those that carry data. */
export type ContentKind = (typeof CONTENT_KINDS)[number];

export interface Content {
  readonly kind: ContentKind;
  /** What no router changes. */
  readonly octets: Uint8Array;
  /** Whether it is in a ChannelData message, or in a Send or Data indication. */
  readonly isWrapped: boolean;
}

/** RFC 8489 section 5. */
const STUN_HEADER_LENGTH = 20;
const MAGIC_COOKIE = 0x2112a442;
/** RFC 8656 sections 17 and 18. */
const SEND_INDICATION = 0x0016;
const DATA_INDICATION = 0x0017;
const DATA_ATTRIBUTE = 0x0013;
/** RFC 8656 section 12: numbers of channels. */
const FIRST_CHANNEL = 0x4000;
const LAST_CHANNEL = 0x4fff;
const CHANNEL_HEADER_LENGTH = 4;

export function contentOf(payload: Uint8Array): Content {
  const wrapped = channelData(payload) ?? indicatedData(payload);
  const octets = wrapped ?? payload;
  return { kind: isStun(octets) ? "stun" : "data", octets, isWrapped: wrapped !== undefined };
}

function isStun(octets: Uint8Array): boolean {
  return (
    octets.length >= STUN_HEADER_LENGTH &&
    (octets[0] ?? 0xff) < 4 &&
    u32(octets, 4) === MAGIC_COOKIE &&
    u16(octets, 2) % 4 === 0
  );
}

/** A ChannelData message over UDP may be padded to four octets. */
function channelData(payload: Uint8Array): Uint8Array | undefined {
  const channel = u16(payload, 0);
  if (channel < FIRST_CHANNEL || channel > LAST_CHANNEL) return undefined;
  const end = CHANNEL_HEADER_LENGTH + u16(payload, 2);
  return payload.length >= end && payload.length - end < 4 ? payload.subarray(CHANNEL_HEADER_LENGTH, end) : undefined;
}

function indicatedData(payload: Uint8Array): Uint8Array | undefined {
  if (!isStun(payload)) return undefined;
  const type = u16(payload, 0);
  if (type !== SEND_INDICATION && type !== DATA_INDICATION) return undefined;
  let at = STUN_HEADER_LENGTH;
  while (at + 4 <= payload.length) {
    const length = u16(payload, at + 2);
    const end = at + 4 + length;
    if (u16(payload, at) === DATA_ATTRIBUTE) return end <= payload.length ? payload.subarray(at + 4, end) : undefined;
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return undefined;
}

/** Octets that are not there count as zero. */
export function u16(octets: Uint8Array, at: number): number {
  return ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
}

export function u32(octets: Uint8Array, at: number): number {
  return u16(octets, at) * 65_536 + u16(octets, at + 2);
}
