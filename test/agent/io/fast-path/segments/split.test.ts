import { describe, expect, test } from "vitest";
import { hasValidChecksum, ipv6PseudoHeader } from "../../../../../agent/src/core/checksum.ts";
import { encodeIpv6Packet } from "../../../../../agent/src/core/mip6/ipv6-packet.ts";
import { packetsOf } from "../../../../../agent/src/io/fast-path/segments/split.ts";
import {
  ACK,
  CWR,
  DESTINATION,
  FIN,
  frameOf,
  HEADERS,
  PSH,
  pattern,
  SOURCE,
  segmented,
  TCP,
  TCP_HEADER,
  tcpPacket,
  UDP,
  VIRTIO,
} from "./tcp-packets.ts";

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
