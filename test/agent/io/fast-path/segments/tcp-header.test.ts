import { describe, expect, test } from "vitest";
import { hasRightChecksum, headerLength } from "../../../../../agent/src/io/fast-path/segments/tcp-header.ts";
import { HEADERS, pattern, segmented, tcpPacket } from "./tcp-packets.ts";

const packet = tcpPacket({ data: pattern(10) });

/** The packet with one octet changed. */
function changed(at: number, octet: number): Uint8Array {
  const copy = packet.slice();
  copy[at] = octet;
  return copy;
}

describe("the length of the headers", () => {
  test("counts the options of TCP, whether data follows or not", () => {
    expect(headerLength(packet)).toBe(HEADERS);
    expect(headerLength(packet.subarray(0, HEADERS))).toBe(HEADERS);
  });

  test.each([
    ["IPv4", changed(0, 0x45)],
    ["UDP", changed(6, 17)],
    ["a data offset below the shortest header", changed(52, 0x40)],
    ["options that are cut short", packet.subarray(0, HEADERS - 1)],
    ["half a TCP header", packet.subarray(0, 50)],
    ["nothing", new Uint8Array(0)],
  ])("is not given for %s", (_, octets) => {
    expect(headerLength(octets)).toBeUndefined();
  });
});

test("one changed octet anywhere makes the checksum wrong", () => {
  const [right = packet] = segmented(packet, 100);
  expect(hasRightChecksum(right)).toBe(true);
  for (const at of [8, 39, 44, 60, right.length - 1]) {
    const wrong = right.slice();
    wrong[at] = (wrong[at] ?? 0) ^ 1;
    expect(hasRightChecksum(wrong)).toBe(false);
  }
});
