/** Captures of a lab that exists on paper: frames that its nodes send, with addresses, ports and a payload. */

import { addressToBytes } from "../../agent/src/core/address.ts";
import { ByteWriter } from "../../agent/src/core/bytes.ts";
import { encodeIpv6Packet } from "../../agent/src/core/mip6/ipv6-packet.ts";
import type { TraceStream } from "../../orchestrator/trace/read-streams.ts";

/** `192.168.1.2:4000`, `[2001:db8::1]:4000` */
type EndText = string;

export interface SentFrame {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly segment: string;
  readonly from: string;
  readonly to: string;
  readonly packet: Uint8Array;
}

/** What the nodes captured; a node's MAC addresses follow from its name. */
export function capturesOf(frames: readonly SentFrame[]): readonly TraceStream[] {
  const nodes = [...new Set(frames.flatMap(({ from, to }) => [from, to]))];
  const macOf = (node: string): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, nodes.indexOf(node) + 1);
  const segments = [...new Set(frames.map(({ segment }) => segment))];
  return segments.flatMap((segment) => {
    const own = frames.filter((frame) => frame.segment === segment);
    // Every node has asked for its neighbours first.
    return [...new Set(own.flatMap(({ from, to }) => [from, to]))].map((node) => {
      const greeting = ethernet(macOf(node), Uint8Array.of(255, 255, 255, 255, 255, 255), 0x0806, new Uint8Array(28));
      const sent = own
        .filter(({ from }) => from === node)
        .map(({ at, to, packet }) => ({
          at,
          octets: ethernet(macOf(node), macOf(to), (packet[0] ?? 0) >> 4 === 6 ? 0x86dd : 0x0800, packet),
        }));
      return { node, segment, pcap: pcapOf([{ at: 0, octets: greeting }, ...sent]) };
    });
  });
}

function ethernet(source: Uint8Array, destination: Uint8Array, type: number, payload: Uint8Array): Uint8Array {
  return new ByteWriter().bytes(destination).bytes(source).u16(type).bytes(payload).finish();
}

function pcapOf(frames: readonly { readonly at: number; readonly octets: Uint8Array }[]): Uint8Array {
  const parts = frames.map(({ at, octets }) => {
    const record = new Uint8Array(16 + octets.length);
    const view = new DataView(record.buffer);
    view.setUint32(0, Math.floor(at / 1000), true);
    view.setUint32(4, Math.round((at % 1000) * 1e6), true);
    view.setUint32(8, octets.length, true);
    view.setUint32(12, octets.length, true);
    record.set(octets, 16);
    return record;
  });
  const header = new Uint8Array(24);
  new DataView(header.buffer).setUint32(0, 0xa1b23c4d, true);
  return Buffer.concat([header, ...parts]);
}

/** A UDP packet, of the IP version of its addresses. */
export function udp(source: EndText, destination: EndText, payload: string | Uint8Array): Uint8Array {
  const [from, to] = [endOf(source), endOf(destination)];
  const octets = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const datagram = new ByteWriter()
    .u16(from.port)
    .u16(to.port)
    .u16(8 + octets.length)
    .u16(0)
    .bytes(octets)
    .finish();
  return ipPacket(from.ip, to.ip, 17, datagram);
}

/** A TCP segment with data. */
export function tcp(source: EndText, destination: EndText, sequence: number, payload: string): Uint8Array {
  const [from, to] = [endOf(source), endOf(destination)];
  const segment = new ByteWriter()
    .u16(from.port)
    .u16(to.port)
    .u32(sequence)
    .u32(0)
    .u16(0x5018)
    .zeros(6)
    .bytes(new TextEncoder().encode(payload));
  return ipPacket(from.ip, to.ip, 6, segment.finish());
}

/** An IPv4 packet in fragments that hold at most `room` octets, a multiple of eight. */
export function fragmentsOf(packet: Uint8Array, room: number): readonly Uint8Array[] {
  const payload = packet.subarray(20);
  return Array.from({ length: Math.ceil(payload.length / room) }, (_, i) => {
    const part = payload.subarray(i * room, (i + 1) * room);
    const header = new ByteWriter().bytes(packet.subarray(0, 20)).finish();
    const fragment = new ByteWriter().bytes(header).bytes(part).finish();
    const view = new DataView(fragment.buffer, fragment.byteOffset);
    view.setUint16(2, fragment.length);
    view.setUint16(4, 77);
    view.setUint16(6, ((i * room) / 8) | ((i + 1) * room < payload.length ? 0x2000 : 0));
    return fragment;
  });
}

function ipPacket(source: string, destination: string, protocol: number, payload: Uint8Array): Uint8Array {
  if (source.includes(":")) return encodeIpv6Packet({ source, destination, nextHeader: protocol, payload });
  return new ByteWriter()
    .u16(0x4500)
    .u16(20 + payload.length)
    .u32(0)
    .u8(64)
    .u8(protocol)
    .u16(0)
    .bytes(addressToBytes(source))
    .bytes(addressToBytes(destination))
    .bytes(payload)
    .finish();
}

function endOf(text: EndText): { readonly ip: string; readonly port: number } {
  const at = text.lastIndexOf(":");
  return { ip: text.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(text.slice(at + 1)) };
}
