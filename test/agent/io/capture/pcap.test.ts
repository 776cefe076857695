import { expect, test } from "vitest";
import { pcapFileHeader, pcapRecord } from "../../../../agent/src/io/capture/pcap.ts";

test("a file begins with magic, version 2.4, snapshot length and link type Ethernet", () => {
  expect(pcapFileHeader(1982).toString("hex")).toBe(`4d3cb2a102000400${"00".repeat(8)}be07000001000000`);
});

test("a record is time in seconds and nanoseconds, captured length, length on the link, and the octets", () => {
  const octets = Uint8Array.of(0xaa, 0xbb, 0xcc);
  const record = pcapRecord({ seconds: 0x01020304, nanoseconds: 999_999_999, length: 1514, octets });
  expect(record.toString("hex")).toBe(`04030201ffc99a3b03000000ea050000aabbcc`);
});

test("a record has a copy of the octets", () => {
  const octets = Uint8Array.of(1);
  const record = pcapRecord({ seconds: 0, nanoseconds: 0, length: 1, octets });
  octets[0] = 2;
  expect(record.at(-1)).toBe(1);
});
