/** TCP packets cut into segments and joined again: what a TUN device with offloads gives and takes. */

import { describe, expect, test } from "vitest";
import { hasValidChecksum, ipv6PseudoHeader } from "../../../../agent/src/core/checksum.ts";
import { encodeIpv6Packet } from "../../../../agent/src/core/mip6/ipv6-packet.ts";
import { createJoiner } from "../../../../agent/src/io/segments/join.ts";
import { packetsOf } from "../../../../agent/src/io/segments/split.ts";

const SOURCE = "2001:db8:a::100";
const DESTINATION = "2001:db8:b::100";
const [TCP, UDP] = [6, 17];
const [FIN, PSH, ACK, CWR] = [0x01, 0x08, 0x10, 0x80];
const VIRTIO = 10;
const TCP_HEADER = 32;
const HEADERS = 40 + TCP_HEADER;

interface TcpFields {
  readonly sequence?: number;
  readonly flags?: number;
  readonly acknowledgement?: number;
  readonly data: Uint8Array;
}

/** A packet with timestamps among its options and without a checksum. */
function tcpPacket({ sequence = 1000, flags = ACK, acknowledgement = 77, data }: TcpFields): Uint8Array {
  const header = new DataView(new ArrayBuffer(TCP_HEADER));
  header.setUint16(0, 5201);
  header.setUint16(2, 40000);
  header.setUint32(4, sequence);
  header.setUint32(8, acknowledgement);
  header.setUint8(12, (TCP_HEADER / 4) << 4);
  header.setUint8(13, flags);
  header.setUint16(14, 512);
  header.setUint32(20, 0x0101080a);
  const payload = Buffer.concat([new Uint8Array(header.buffer), data]);
  return encodeIpv6Packet({ source: SOURCE, destination: DESTINATION, nextHeader: TCP, payload });
}

function pattern(length: number, first = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (first + i * 7) & 0xff);
}

interface Virtio {
  readonly flags?: number;
  readonly kind?: number;
  readonly segmentBytes?: number;
  readonly checksumFrom?: number;
  readonly checksumAt?: number;
}

function frameOf(packet: Uint8Array, virtio: Virtio = {}): Uint8Array {
  const frame = Buffer.alloc(VIRTIO + packet.length);
  frame.writeUInt8(virtio.flags ?? 0, 0);
  frame.writeUInt8(virtio.kind ?? 0, 1);
  frame.writeUInt16LE(virtio.segmentBytes ?? 0, 4);
  frame.writeUInt16LE(virtio.checksumFrom ?? 0, 6);
  frame.writeUInt16LE(virtio.checksumAt ?? 0, 8);
  frame.set(packet, VIRTIO);
  return Uint8Array.from(frame);
}

const segmented = (packet: Uint8Array, segmentBytes: number, kind = 4): readonly Uint8Array[] =>
  packetsOf(frameOf(packet, { flags: 1, kind, segmentBytes, checksumFrom: 40, checksumAt: 16 }));

function fieldsOf(packet: Uint8Array) {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  return { payload: view.getUint16(4), sequence: view.getUint32(44), flags: view.getUint8(53) };
}

function hasRightChecksum(packet: Uint8Array, nextHeader = TCP): boolean {
  const pseudo = ipv6PseudoHeader({ source: SOURCE, destination: DESTINATION, length: packet.length - 40, nextHeader });
  return hasValidChecksum(pseudo, packet.subarray(40));
}

describe("a packet from the kernel", () => {
  test("that is whole goes on as it is", () => {
    const packet = tcpPacket({ data: pattern(10) });
    expect(packetsOf(frameOf(packet))).toEqual([packet]);
  });

  test.each([1328, 1327])(
    "is cut into segments of %i octets, the last one shorter, each with its own header",
    (size) => {
      const data = pattern(3 * size + 5);
      const segments = segmented(tcpPacket({ flags: FIN | PSH | ACK | CWR, data }), size);
      expect(segments.map(fieldsOf)).toEqual([
        { payload: TCP_HEADER + size, sequence: 1000, flags: ACK | CWR },
        { payload: TCP_HEADER + size, sequence: 1000 + size, flags: ACK },
        { payload: TCP_HEADER + size, sequence: 1000 + 2 * size, flags: ACK },
        { payload: TCP_HEADER + 5, sequence: 1000 + 3 * size, flags: FIN | PSH | ACK },
      ]);
      expect(Buffer.concat(segments.map((segment) => segment.subarray(HEADERS))).equals(data)).toBe(true);
      expect(segments.filter((segment) => !hasRightChecksum(segment))).toEqual([]);
    },
  );

  test("is cut where the connection uses ECN, too, and where sequence numbers go round", () => {
    const segments = segmented(tcpPacket({ sequence: 0xffff_fffe, data: pattern(4) }), 2, 0x84);
    expect(segments.map((segment) => fieldsOf(segment).sequence)).toEqual([0xffff_fffe, 0]);
  });

  test("gets the checksum that it lacks", () => {
    const udp = Buffer.from([...[0x13, 0x88, 0x9c, 0x40, 0, 11, 0, 0], ...[1, 2, 3]]);
    const sum = ipv6PseudoHeader({ source: SOURCE, destination: DESTINATION, length: 11, nextHeader: UDP });
    let folded = sum.reduce((total, octet, i) => total + (i % 2 === 0 ? octet << 8 : octet), 0);
    while (folded > 0xffff) folded = (folded >> 16) + (folded & 0xffff);
    udp.writeUInt16BE(folded, 6);
    const packet = encodeIpv6Packet({ source: SOURCE, destination: DESTINATION, nextHeader: UDP, payload: udp });
    const [finished] = packetsOf(frameOf(packet, { flags: 1, checksumFrom: 40, checksumAt: 6 }));
    expect(hasRightChecksum(finished ?? new Uint8Array(41), UDP)).toBe(true);
  });

  test.each<[string, Uint8Array]>([
    ["an empty frame", new Uint8Array(0)],
    ["half a header", new Uint8Array(VIRTIO - 1)],
    ["a checksum outside of the packet", frameOf(pattern(8), { flags: 1, checksumFrom: 40, checksumAt: 16 })],
    ["segments of no TCP", frameOf(pattern(80), { flags: 1, kind: 4, segmentBytes: 8, checksumFrom: 40 })],
    [
      "a TCP header that is longer than the packet",
      frameOf(tcpPacket({ data: pattern(1) }).subarray(0, 62), { flags: 1, kind: 4, segmentBytes: 8 }),
    ],
  ])("%s is dropped", (_what, frame) => {
    expect(packetsOf(frame)).toEqual([]);
  });
});

/** What a joiner writes when it is given these packets and then flushed. */
function join(packets: readonly Uint8Array[]): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  const joiner = createJoiner((frame, length) => void frames.push(frame.slice(0, length)));
  for (const packet of packets) joiner.push(packet);
  joiner.flush();
  joiner.flush();
  return frames;
}

describe("packets for the kernel", () => {
  const whole = tcpPacket({ flags: ACK | PSH, data: pattern(4000) });
  const segments = segmented(whole, 1328);

  test("that follow each other become the packet that they were cut from", () => {
    const [frame, ...others] = join(segments);
    expect(others).toEqual([]);
    const header = Buffer.from(frame?.subarray(0, VIRTIO) ?? []);
    // Flags, kind, header length, segment size, where the checksum begins and lies: little-endian.
    expect(header.toString("hex")).toBe("010448003005280010 00".replaceAll(" ", ""));
    expect(segmented(frame?.subarray(VIRTIO) ?? whole, 1328)).toEqual(segments);
    expect(frame?.length).toBe(VIRTIO + whole.length);
  });

  test("that stand alone are left alone", () => {
    expect(join(segments.slice(1, 2))).toEqual([frameOf(segments[1] ?? whole)]);
    const noTcp = encodeIpv6Packet({ source: SOURCE, destination: DESTINATION, nextHeader: UDP, payload: pattern(9) });
    expect(join([noTcp, noTcp])).toEqual([frameOf(noTcp), frameOf(noTcp)]);
  });

  const [a, b, c, d] = segments as readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const changed = (packet: Uint8Array, at: number): Uint8Array => {
    const copy = packet.slice();
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  test.each<[string, readonly Uint8Array[], readonly number[]]>([
    ["a gap", [a, c, d], [1, 2]],
    ["another order", [b, a], [1, 1]],
    ["a damaged one, which stays alone", [a, changed(b, 100), c], [1, 1, 1]],
    ["another hop limit", [a, changed(b, 7), c], [1, 1, 1]],
    ["another acknowledgement", [a, segmentOf({ sequence: 2328, acknowledgement: 78 })], [1, 1]],
    ["a pushed one in the middle", [segmentOf({ flags: ACK | PSH }), b], [1, 1]],
    [
      "a shorter one in the middle",
      [a, segmentOf({ sequence: 2328, length: 9 }), segmentOf({ sequence: 2337 })],
      [2, 1],
    ],
    ["a longer one", [segmentOf({ length: 9 }), segmentOf({ sequence: 1009 })], [1, 1]],
    ["acknowledgements without data", [segmentOf({ length: 0 }), segmentOf({ length: 0 })], [1, 1]],
    ["the end of the connection", [a, segmentOf({ sequence: 2328, flags: ACK | FIN })], [1, 1]],
  ])("are not joined over %s", (_what, packets, counts) => {
    const frames = join(packets);
    const dataOf = (octets: Uint8Array): number => octets.length - HEADERS;
    let next = 0;
    const expected = counts.map((count) => {
      const run = packets.slice(next, (next += count));
      return VIRTIO + HEADERS + run.reduce((sum, packet) => sum + dataOf(packet), 0);
    });
    expect(frames.map(({ length }) => length)).toEqual(expected);
  });

  test("never make one that is longer than IPv6 knows", () => {
    const many = Array.from({ length: 60 }, (_, i) => segmentOf({ sequence: 1000 + i * 1328 }));
    const frames = join(many);
    expect(frames.length).toBe(2);
    expect(Math.max(...frames.map(({ length }) => length))).toBeLessThanOrEqual(VIRTIO + 40 + 0xffff);
    expect(frames.reduce((sum, { length }) => sum + length - VIRTIO - HEADERS, 0)).toBe(60 * 1328);
    expect(join([new Uint8Array(70_000)])).toEqual([]);
  });

  /** One segment with a checksum. */
  function segmentOf({ length = 1328, ...fields }: Partial<TcpFields> & { length?: number }): Uint8Array {
    const [segment] = segmented(tcpPacket({ ...fields, data: pattern(length) }), Math.max(length, 1));
    if (segment === undefined) throw new Error("no segment");
    return segment;
  }
});
