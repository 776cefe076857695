import { describe, expect, test } from "vitest";
import { encodeIpv6Packet } from "../../../../../agent/src/core/mip6/ipv6-packet.ts";
import { createJoiner } from "../../../../../agent/src/io/fast-path/segments/join.ts";
import {
  ACK,
  DESTINATION,
  FIN,
  frameOf,
  HEADERS,
  PSH,
  pattern,
  SOURCE,
  segmented,
  type TcpFields,
  tcpPacket,
  UDP,
  VIRTIO,
} from "./tcp-packets.ts";

/** What a joiner writes when it receives these packets and is then flushed. */
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
    // Flags, kind, header length, segment size, checksum start and checksum offset: little-endian.
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
