/** The frames of a run's `capture.pcapng`, and the IP packets in them. Reads only what `report/pcapng.ts` writes. */

import { addressFromBytes, type SocketAddress } from "../../agent/src/core/address.ts";

/** A frame and the segment to which a node sent it. */
export interface Frame {
  readonly iface: string;
  readonly timeNs: bigint;
  readonly octets: Uint8Array;
}

/** The content of a frame: for UDP of either IP version the payload, for other IPv6 the whole packet. */
export type FrameContent =
  | {
      readonly type: "udp";
      readonly source: SocketAddress;
      readonly destination: SocketAddress;
      readonly payload: Uint8Array;
    }
  | { readonly type: "ipv6"; readonly source: string; readonly destination: string; readonly packet: Uint8Array };

const INTERFACE_DESCRIPTION_BLOCK = 1;
const ENHANCED_PACKET_BLOCK = 6;
const INTERFACE_NAME_OPTION = 2;

/** Frames in the order of the file, which is chronological. */
export function readFrames(file: Uint8Array): readonly Frame[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const interfaces: string[] = [];
  const frames: Frame[] = [];
  for (let at = 0; at + 12 <= file.length; at += view.getUint32(at + 4, true)) {
    const type = view.getUint32(at, true);
    if (type === INTERFACE_DESCRIPTION_BLOCK) interfaces.push(interfaceName(view, at + 16));
    if (type !== ENHANCED_PACKET_BLOCK) continue;
    const timeNs = (BigInt(view.getUint32(at + 12, true)) << 32n) | BigInt(view.getUint32(at + 16, true));
    const octets = file.subarray(at + 28, at + 28 + view.getUint32(at + 20, true));
    frames.push({ iface: interfaces[view.getUint32(at + 8, true)] ?? "", timeNs, octets });
  }
  return frames;
}

/** Source MAC of a frame: the node that sent it on this segment. */
export function senderMac({ octets }: Frame): string {
  return [...octets.subarray(6, 12)].map((octet) => octet.toString(16).padStart(2, "0")).join(":");
}

/** Undefined for anything but IP, such as ARP. */
export function contentOf({ octets }: Frame): FrameContent | undefined {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const etherType = view.getUint16(12);
  if (etherType === 0x0800 && octets[23] === 17) {
    const source = addressFromBytes(octets.subarray(26, 30));
    const destination = addressFromBytes(octets.subarray(30, 34));
    return udp(view, 14 + ((octets[14] ?? 0) & 0x0f) * 4, source, destination);
  }
  if (etherType !== 0x86dd) return undefined;
  const source = addressFromBytes(octets.subarray(22, 38));
  const destination = addressFromBytes(octets.subarray(38, 54));
  return { type: "ipv6", source, destination, packet: octets.subarray(14, 54 + view.getUint16(18)) };
}

function udp(view: DataView, at: number, source: string, destination: string): FrameContent {
  const [from, to, length] = [view.getUint16(at), view.getUint16(at + 2), view.getUint16(at + 4)];
  const payload = new Uint8Array(view.buffer, view.byteOffset + at + 8, length - 8);
  return { type: "udp", source: { ip: source, port: from }, destination: { ip: destination, port: to }, payload };
}

function interfaceName(view: DataView, optionsAt: number): string {
  let at = optionsAt;
  while (view.getUint16(at, true) !== INTERFACE_NAME_OPTION) at += 4 + Math.ceil(view.getUint16(at + 2, true) / 4) * 4;
  const name = new Uint8Array(view.buffer, view.byteOffset + at + 4, view.getUint16(at + 2, true));
  return new TextDecoder().decode(name);
}
