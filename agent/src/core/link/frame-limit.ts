/**
 * What a link of a smaller MTU, or one that drops fragments, does with an Ethernet frame. Pure.
 *
 * A link that tells of what is too large does as a router before it would (RFC 1812 section 5.2.7.3, RFC 4443 section
 * 3.2): it fragments IPv4 packets that allow it, and answers others with ICMP, which comes from the packet's
 * destination, since the link has no address. One that does not tell carries no larger packet of any kind.
 */

import { ByteWriter } from "../bytes.ts";
import { internetChecksum } from "../checksum.ts";
import { fragmentationNeeded, packetTooBig } from "../icmp/too-big.ts";
import type { PacketLimits } from "./impairment.ts";

/** What becomes of a frame: what goes on, and what is sent back to its sender. */
export interface LimitedFrame {
  readonly forward: readonly Uint8Array[];
  readonly back?: Uint8Array;
  /** Why nothing goes on. */
  readonly dropped?: "too-big" | "fragment";
}

const ETHERNET_LENGTH = 14;
const ETHER_TYPE_AT = 12;
const ETHER_TYPE = { ipv4: 0x0800, ipv6: 0x86dd } as const;

/** RFC 791: offsets from the beginning of the packet, and the bits of the field with the fragment's offset. */
const IPV4 = { totalLength: 2, fragment: 6, protocol: 9, checksum: 10, length: 20 } as const;
const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;
const FRAGMENT_OFFSET = 0x1fff;
const ICMP = 1;

/** RFC 8200. */
const IPV6 = { payloadLength: 4, nextHeader: 6, length: 40 } as const;
const FRAGMENT_HEADER = 44;
const ICMPV6 = 58;
const FIRST_INFORMATIONAL = 128;

/** Applies the limits of a link to a frame. Frames that carry no IP packet pass. */
export function limitFrame(frame: Uint8Array, limits: PacketLimits): LimitedFrame {
  const packet = frame.subarray(ETHERNET_LENGTH);
  const type = frame.length < ETHERNET_LENGTH ? 0 : viewOf(frame).getUint16(ETHER_TYPE_AT);
  if (type === ETHER_TYPE.ipv4 && packet.length >= IPV4.length) return limitIpv4(frame, packet, limits);
  if (type === ETHER_TYPE.ipv6 && packet.length >= IPV6.length) return limitIpv6(frame, packet, limits);
  return { forward: [frame] };
}

function limitIpv4(frame: Uint8Array, packet: Uint8Array, limits: PacketLimits): LimitedFrame {
  const { mtuOctets = Infinity, isSilent = false, dropsFragments = false } = limits;
  const view = viewOf(packet);
  const field = view.getUint16(IPV4.fragment);
  if (dropsFragments && (field & (MORE_FRAGMENTS | FRAGMENT_OFFSET)) !== 0) return { forward: [], dropped: "fragment" };
  const octets = Math.min(view.getUint16(IPV4.totalLength), packet.length);
  if (octets <= mtuOctets) return { forward: [frame] };
  if (isSilent) return { forward: [], dropped: "too-big" };
  if ((field & DONT_FRAGMENT) === 0)
    return dropsFragments ? { forward: [], dropped: "fragment" } : { forward: fragmentsOf(frame, octets, mtuOctets) };
  if (isIcmpError(packet) || isGroup(frame)) return { forward: [], dropped: "too-big" };
  const error = fragmentationNeeded(packet.subarray(0, octets), mtuOctets);
  return { forward: [], dropped: "too-big", back: answerTo(frame, error) };
}

function limitIpv6(frame: Uint8Array, packet: Uint8Array, limits: PacketLimits): LimitedFrame {
  const { mtuOctets = Infinity, isSilent = false, dropsFragments = false } = limits;
  if (dropsFragments && packet[IPV6.nextHeader] === FRAGMENT_HEADER) return { forward: [], dropped: "fragment" };
  const octets = Math.min(IPV6.length + viewOf(packet).getUint16(IPV6.payloadLength), packet.length);
  if (octets <= mtuOctets) return { forward: [frame] };
  const isError = packet[IPV6.nextHeader] === ICMPV6 && (packet[IPV6.length] ?? 0) < FIRST_INFORMATIONAL;
  if (isSilent || isError || isGroup(frame)) return { forward: [], dropped: "too-big" };
  const error = packetTooBig(packet.subarray(0, octets), mtuOctets);
  return { forward: [], dropped: "too-big", back: answerTo(frame, error) };
}

/** RFC 791 section 3.2: options are copied to every fragment, which is more than has to be. */
function fragmentsOf(frame: Uint8Array, octets: number, mtuOctets: number): readonly Uint8Array[] {
  const packet = frame.subarray(ETHERNET_LENGTH, ETHERNET_LENGTH + octets);
  const headerLength = ((packet[0] ?? 0) & 0x0f) * 4;
  const field = viewOf(packet).getUint16(IPV4.fragment);
  const step = Math.floor((mtuOctets - headerLength) / 8) * 8;
  const fragments: Uint8Array[] = [];
  for (let at = headerLength; at < octets; at += step) {
    const data = packet.subarray(at, Math.min(at + step, octets));
    const header = packet.slice(0, headerLength);
    const view = viewOf(header);
    const more = at + step < octets ? MORE_FRAGMENTS : field & MORE_FRAGMENTS;
    view.setUint16(IPV4.totalLength, headerLength + data.length);
    view.setUint16(IPV4.fragment, more | ((field & FRAGMENT_OFFSET) + (at - headerLength) / 8));
    view.setUint16(IPV4.checksum, 0);
    view.setUint16(IPV4.checksum, internetChecksum(header));
    fragments.push(new ByteWriter().bytes(frame.subarray(0, ETHERNET_LENGTH)).bytes(header).bytes(data).finish());
  }
  return fragments;
}

/** A packet from the receiver of a frame to its sender. */
function answerTo(frame: Uint8Array, packet: Uint8Array): Uint8Array {
  return new ByteWriter()
    .bytes(frame.subarray(6, ETHER_TYPE_AT))
    .bytes(frame.subarray(0, 6))
    .bytes(frame.subarray(ETHER_TYPE_AT, ETHERNET_LENGTH))
    .bytes(packet)
    .finish();
}

/** Errors are not answered by errors: destination unreachable, time exceeded, parameter problem. */
function isIcmpError(packet: Uint8Array): boolean {
  const headerLength = ((packet[0] ?? 0) & 0x0f) * 4;
  return packet[IPV4.protocol] === ICMP && [3, 11, 12].includes(packet[headerLength] ?? 0);
}

function isGroup(frame: Uint8Array): boolean {
  return ((frame[0] ?? 0) & 1) === 1;
}

function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.length);
}
