/** Fragment headers (RFC 8200 section 4.5): made by the source of a packet, and taken apart for Mobility Headers. */

import { ByteReader, ByteWriter } from "../bytes.ts";
import type { InstantMs } from "../machine.ts";
import { isCompleteIpv6, NEXT_HEADER, sourceKey } from "./ipv6-packet.ts";

const IPV6_HEADER_LENGTH = 40;
const FRAGMENT_HEADER_LENGTH = 8;
const NEXT_HEADER_AT = 6;
const PAYLOAD_LENGTH_AT = 4;
const OFFSET_AT = IPV6_HEADER_LENGTH + 2;
const IDENTIFICATION_AT = IPV6_HEADER_LENGTH + 4;
/** Offsets count eight octets; the lowest bit says that more fragments follow. */
const MORE_FRAGMENTS = 1;
const OFFSET_MASK = 0xfff8;

/**
 * The packet in fragments of at most `maxOctets` each, which is at least 56. One that is a fragment itself is divided
 * further, and keeps its own identification. A packet with a Hop-by-Hop Options header is left whole: kernels send none
 * that is large. Needs a complete packet.
 */
export function fragmentsOf(packet: Uint8Array, maxOctets: number, identification: number): readonly Uint8Array[] {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const first = packet[NEXT_HEADER_AT];
  const end = IPV6_HEADER_LENGTH + view.getUint16(PAYLOAD_LENGTH_AT);
  if (end <= maxOctets || first === NEXT_HEADER.hopByHop) return [packet];
  const isFragment = first === NEXT_HEADER.fragment;
  const start = isFragment ? IPV6_HEADER_LENGTH + FRAGMENT_HEADER_LENGTH : IPV6_HEADER_LENGTH;
  const own = {
    nextHeader: packet[isFragment ? IPV6_HEADER_LENGTH : NEXT_HEADER_AT] ?? 0,
    offset: isFragment ? view.getUint16(OFFSET_AT) & OFFSET_MASK : 0,
    hasMore: isFragment && (view.getUint16(OFFSET_AT) & MORE_FRAGMENTS) !== 0,
    identification: isFragment ? view.getUint32(IDENTIFICATION_AT) : identification,
  };
  const step = (maxOctets - IPV6_HEADER_LENGTH - FRAGMENT_HEADER_LENGTH) & OFFSET_MASK;
  const fragments: Uint8Array[] = [];
  for (let at = start; at < end; at += step) {
    const part = packet.subarray(at, Math.min(at + step, end));
    const more = at + step < end || own.hasMore ? MORE_FRAGMENTS : 0;
    const writer = new ByteWriter()
      .bytes(packet.subarray(0, PAYLOAD_LENGTH_AT))
      .u16(FRAGMENT_HEADER_LENGTH + part.length)
      .u8(NEXT_HEADER.fragment)
      .bytes(packet.subarray(NEXT_HEADER_AT + 1, IPV6_HEADER_LENGTH))
      .u8(own.nextHeader)
      .u8(0)
      .u16((own.offset + at - start) | more)
      .u32(own.identification)
      .bytes(part);
    fragments.push(writer.finish());
  }
  return fragments;
}

/** Whether a complete packet is a fragment of a Mobility Header. */
export function isMobilityFragment(packet: Uint8Array): boolean {
  return packet[NEXT_HEADER_AT] === NEXT_HEADER.fragment && packet[IPV6_HEADER_LENGTH] === NEXT_HEADER.mobility;
}

/** Fragments of a packet wait this long for the others (RFC 8200 section 4.5). */
const REASSEMBLY_MS = 60_000;
/** Packets that wait for more of their fragments, and octets of one: a Mobility Header has at most 2048. */
const MOST_PACKETS = 64;
const MOST_OCTETS = 2048;

interface Waiting {
  readonly since: InstantMs;
  readonly parts: Map<number, Uint8Array>;
  /** Octets of the whole, from the last fragment. */
  length: number | undefined;
}

/** Puts Mobility Headers together; data is left to the kernel. */
export interface Reassembly {
  /**
   * The whole packet once this fragment completes it. Fragments that came another way, which `from` names, belong to
   * another packet; overlapping ones end it (RFC 5722).
   */
  take(now: InstantMs, fragment: Uint8Array, from: string): Uint8Array | undefined;
}

export function createReassembly(): Reassembly {
  const waiting = new Map<string, Waiting>();
  return {
    take(now, fragment, from) {
      if (!isCompleteIpv6(fragment) || fragment.length < IPV6_HEADER_LENGTH + FRAGMENT_HEADER_LENGTH) return undefined;
      const reader = new ByteReader(fragment, PAYLOAD_LENGTH_AT);
      const partLength = reader.u16() - FRAGMENT_HEADER_LENGTH;
      reader.skip(OFFSET_AT - PAYLOAD_LENGTH_AT - 2);
      const field = reader.u16();
      const key = `${from} ${sourceKey(fragment)}${reader.u32()}`;
      const part = reader.bytes(partLength);
      const offset = field & OFFSET_MASK;
      if (reader.overrun || partLength <= 0 || offset + partLength > MOST_OCTETS) return undefined;
      for (const [other, { since }] of waiting) if (now - since >= REASSEMBLY_MS) waiting.delete(other);
      const entry = waiting.get(key) ?? { since: now, parts: new Map<number, Uint8Array>(), length: undefined };
      if (waiting.size >= MOST_PACKETS && !waiting.has(key)) waiting.delete([...waiting.keys()][0] ?? "");
      waiting.set(key, entry);
      entry.parts.set(offset, part.slice());
      if ((field & MORE_FRAGMENTS) === 0) entry.length = offset + partLength;
      const payload = wholeOf(entry);
      if (payload === undefined) return undefined;
      waiting.delete(key);
      return payload === "overlap" ? undefined : withPayload(fragment, payload);
    },
  };
}

function wholeOf({ parts, length }: Waiting): Uint8Array | "overlap" | undefined {
  if (length === undefined) return undefined;
  const inOrder = [...parts].toSorted(([a], [b]) => a - b);
  let end = 0;
  for (const [offset, part] of inOrder) {
    if (offset < end) return "overlap";
    if (offset > end) return undefined;
    end = offset + part.length;
  }
  if (end !== length) return end > length ? "overlap" : undefined;
  const whole = new Uint8Array(length);
  for (const [offset, part] of inOrder) whole.set(part, offset);
  return whole;
}

function withPayload(fragment: Uint8Array, payload: Uint8Array): Uint8Array {
  return new ByteWriter()
    .bytes(fragment.subarray(0, PAYLOAD_LENGTH_AT))
    .u16(payload.length)
    .u8(fragment[IPV6_HEADER_LENGTH] ?? 0)
    .bytes(fragment.subarray(NEXT_HEADER_AT + 1, IPV6_HEADER_LENGTH))
    .bytes(payload)
    .finish();
}
