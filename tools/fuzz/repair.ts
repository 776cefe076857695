/**
 * Repairs what a hostile sender would repair in a mutated message: lengths, checksums, FINGERPRINT, and
 * MESSAGE-INTEGRITY if the password is known. Otherwise nearly every mutation would fail at the first checksum.
 */

import { internetChecksum, ipv6PseudoHeader } from "../../agent/src/core/checksum.ts";
import { decodeIpv6Packet, NEXT_HEADER } from "../../agent/src/core/mip6/ipv6-packet.ts";
import { type MobilityEndpoints, withChecksum } from "../../agent/src/core/mip6/mobility-header.ts";
import { fingerprintOf } from "../../agent/src/core/stun/fingerprint.ts";
import { integrityOf } from "../../agent/src/core/stun/integrity.ts";

const STUN_HEADER = 20;
const STUN_COOKIE = 0x2112a442;
const MESSAGE_INTEGRITY = 0x0008;
const MESSAGE_INTEGRITY_TLV = 24;
const FINGERPRINT = 0x8028;
const FINGERPRINT_TLV = 8;

const IPV6_HEADER = 40;
const UDP_HEADER = 8;
const MAX_MOBILITY_HEADER = 2048;
const MIP_ICE_OPTION = 18;
/** Where options begin, by MH type. */
const OPTIONS_AT: ReadonlyMap<number, number> = new Map([
  [0, 8],
  [1, 16],
  [2, 16],
  [3, 24],
  [4, 24],
  [5, 12],
  [6, 12],
  [7, 24],
  [22, 16],
  [23, 24],
]);

/** Repairs whatever kind of UDP payload this looks like; returns anything else unchanged. */
export function repairPayload(payload: Uint8Array, key: Uint8Array): Uint8Array {
  if ((payload[0] ?? 0) >> 4 === 6) return repairIpv6(payload, key);
  return payload.length >= STUN_HEADER ? repairStun(payload, key) : payload;
}

/** Length, MESSAGE-INTEGRITY with `key` if present, FINGERPRINT at the end. */
export function repairStun(payload: Uint8Array, key: Uint8Array): Uint8Array {
  if (payload.length < STUN_HEADER || payload.length > 0xffff) return payload;
  const { ends, integrityAt, lastAt } = walkAttributes(payload);
  const hasFingerprint =
    lastAt !== undefined && wordAt(payload, lastAt) === FINGERPRINT && ends - lastAt === FINGERPRINT_TLV;
  const bodyEnds = hasFingerprint ? lastAt : ends;
  const mended = new Uint8Array(bodyEnds + FINGERPRINT_TLV);
  mended.set(payload.subarray(0, bodyEnds));
  const view = new DataView(mended.buffer);
  view.setUint8(0, view.getUint8(0) & 0x3f);
  view.setUint16(2, mended.length - STUN_HEADER);
  view.setUint32(4, STUN_COOKIE);
  if (integrityAt !== undefined && integrityAt + MESSAGE_INTEGRITY_TLV <= bodyEnds)
    mended.set(integrityOf(mended.subarray(0, integrityAt), key), integrityAt + 4);
  view.setUint16(bodyEnds, FINGERPRINT);
  view.setUint16(bodyEnds + 2, 4);
  view.setUint32(bodyEnds + 4, fingerprintOf(mended.subarray(0, bodyEnds)));
  return mended;
}

/** Length alone, as a client of RFC 3489 sets it: no cookie, nothing at the end. */
export function repairClassicStun(payload: Uint8Array): Uint8Array {
  const whole = payload.length & ~3;
  if (whole < STUN_HEADER || whole > 0xffff) return payload;
  const mended = new Uint8Array(payload.subarray(0, whole));
  const view = new DataView(mended.buffer);
  view.setUint8(0, view.getUint8(0) & 0x3f);
  view.setUint16(2, whole - STUN_HEADER);
  return mended;
}

/** Payload length, and the payload. */
export function repairIpv6(packet: Uint8Array, key: Uint8Array): Uint8Array {
  if (packet.length < IPV6_HEADER || packet.length - IPV6_HEADER > 0xffff) return packet;
  const head = new Uint8Array(packet.subarray(0, IPV6_HEADER));
  new DataView(head.buffer).setUint16(4, packet.length - IPV6_HEADER);
  const whole = joined(head, packet.subarray(IPV6_HEADER));
  const ip = decodeIpv6Packet(whole);
  if (!ip.ok) return whole;
  const { source, destination, homeAddress, nextHeader, payload } = ip.value;
  const endpoints = { source: homeAddress ?? source, destination };
  if (nextHeader !== NEXT_HEADER.mobility && nextHeader !== NEXT_HEADER.udp) return whole;
  const inside =
    nextHeader === NEXT_HEADER.mobility
      ? repairMobility(payload, endpoints)
      : repairUdp(payload, { source, destination }, key);
  const front = new Uint8Array(whole.subarray(0, whole.length - payload.length));
  new DataView(front.buffer).setUint16(4, front.length + inside.length - IPV6_HEADER);
  return joined(front, inside);
}

/** Payload Proto, Header Len, the checksums of MIP-ICE options, and the header's checksum. */
export function repairMobility(header: Uint8Array, endpoints: MobilityEndpoints): Uint8Array {
  const length = Math.min(header.length & ~7, MAX_MOBILITY_HEADER);
  if (length < 8) return header;
  const mended = new Uint8Array(header.subarray(0, length));
  mended[0] = 59;
  mended[1] = length / 8 - 1;
  repairMipIceOptions(mended, OPTIONS_AT.get(mended[2] ?? 0) ?? length);
  return withChecksum(mended, endpoints);
}

/** The checksums of the MIP-ICE options in a chain of mobility options, in place. */
export function repairMipIceOptions(octets: Uint8Array, start: number): void {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  for (let at = start; at < octets.length; ) {
    const type = octets[at];
    const end = type === 0 ? at + 1 : at + 2 + (octets[at + 1] ?? 0);
    if (type === MIP_ICE_OPTION && end <= octets.length && end - at >= 6) {
      view.setUint16(at + 4, 0);
      view.setUint16(at + 4, internetChecksum(octets.subarray(at, end)));
    }
    at = end;
  }
}

function repairUdp(udp: Uint8Array, endpoints: MobilityEndpoints, key: Uint8Array): Uint8Array {
  if (udp.length < UDP_HEADER) return udp;
  const inner = udp.subarray(UDP_HEADER);
  const isStun = inner.length >= STUN_HEADER && quadAt(inner, 4) === STUN_COOKIE;
  const mended = joined(udp.subarray(0, UDP_HEADER), isStun ? repairStun(inner, key) : inner);
  if (mended.length > 0xffff) return udp;
  const view = new DataView(mended.buffer);
  view.setUint16(4, mended.length);
  view.setUint16(6, 0);
  const pseudo = ipv6PseudoHeader({ ...endpoints, length: mended.length, nextHeader: NEXT_HEADER.udp });
  view.setUint16(6, internetChecksum(pseudo, mended) || 0xffff);
  return mended;
}

/** The end of the well-framed attributes, and the offsets of the last one and of MESSAGE-INTEGRITY. */
function walkAttributes(payload: Uint8Array): {
  readonly ends: number;
  readonly lastAt: number | undefined;
  readonly integrityAt: number | undefined;
} {
  let ends = STUN_HEADER;
  let lastAt: number | undefined;
  let integrityAt: number | undefined;
  while (ends + 4 <= payload.length) {
    const next = ends + 4 + Math.ceil(wordAt(payload, ends + 2) / 4) * 4;
    if (next > payload.length) break;
    if (wordAt(payload, ends) === MESSAGE_INTEGRITY && next - ends === MESSAGE_INTEGRITY_TLV) integrityAt ??= ends;
    lastAt = ends;
    ends = next;
  }
  return { ends, lastAt, integrityAt };
}

function wordAt(octets: Uint8Array, at: number): number {
  return ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
}

function quadAt(octets: Uint8Array, at: number): number {
  return wordAt(octets, at) * 0x10000 + wordAt(octets, at + 2);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}
