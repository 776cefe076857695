import { expect, test } from "vitest";
import { readMarked } from "../../../../agent/src/io/probe/sniff.ts";

/** A UDP datagram from port 4096 to port 4191, its checksum left out. */
const udp = (payload: string): string =>
  `1000105f${(8 + payload.length / 2).toString(16).padStart(4, "0")}0000${payload}`;
/** An IPv4 header with this many words of options; the other fields are not used here. */
const ipv4 = (words: number): string => `4${(5 + words).toString(16)}`.padEnd(2 * (20 + 4 * words), "0");
const octets = (hex: string): Uint8Array => Buffer.from(hex, "hex");

test("a mark is read after an IPv4 header of any length, and without one over IPv6", () => {
  const heard = { mark: "aabb01", port: 4191 };
  expect(readMarked(octets(ipv4(0) + udp("aabb01")), 4, ["aabb00", "aabb01"])).toEqual(heard);
  expect(readMarked(octets(ipv4(3) + udp("aabb01")), 4, ["aabb01"])).toEqual(heard);
  expect(readMarked(octets(udp("aabb01")), 6, ["aabb01"])).toEqual(heard);
});

test.each([
  ["other payloads", ipv4(0) + udp("aabb02")],
  ["payloads that only begin with a mark", ipv4(0) + udp("aabb0102")],
  ["datagrams cut short", ipv4(0) + udp("aabb01").slice(0, 14)],
  ["headers cut short", "45"],
  ["headers that are shorter than they can be", `41${udp("aabb01")}`],
  ["nothing at all", ""],
])("%s are no mark", (_, packet) => {
  expect(readMarked(octets(packet), 4, ["aabb01"])).toBeUndefined();
});
