import { expect, test } from "vitest";
import { readPcap } from "../../../orchestrator/trace/pcap.ts";
import { pcapFile } from "../../support/pcap-file.ts";

test.each([
  ["little-endian microseconds", { littleEndian: true, magic: 0xa1b2c3d4 }, 7000n],
  ["big-endian microseconds", { littleEndian: false, magic: 0xa1b2c3d4 }, 7000n],
  ["little-endian nanoseconds", { littleEndian: true, magic: 0xa1b23c4d }, 7n],
  ["big-endian nanoseconds", { littleEndian: false, magic: 0xa1b23c4d }, 7n],
])("reads %s", (_, form, fractionNs) => {
  const found = readPcap(pcapFile([{ seconds: 2, fraction: 7, bytes: [5, 6] }], form));
  expect(found).toEqual([{ timeNs: 2_000_000_000n + fractionNs, originalLength: 2, frame: Uint8Array.of(5, 6) }]);
});

test("a stream cut off at any octet gives the whole records before the cut", () => {
  const whole = pcapFile([
    { seconds: 1, fraction: 0, bytes: [1, 2, 3] },
    { seconds: 2, fraction: 0, bytes: [4, 5] },
  ]);
  for (let length = 0; length <= whole.length; length += 1) {
    const expected = length < 24 + 16 + 3 ? 0 : length < whole.length ? 1 : 2;
    expect(readPcap(whole.subarray(0, length)), `${length} octets`).toHaveLength(expected);
  }
});

test("bytes that are no pcap file give no packets", () => {
  expect(readPcap(new Uint8Array(100).fill(0x41))).toEqual([]);
});
