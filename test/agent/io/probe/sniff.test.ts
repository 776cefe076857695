import { expect, test } from "vitest";
import { hasValidChecksum } from "../../../../agent/src/core/checksum.ts";
import { encodeMarkedSyn } from "../../../../agent/src/core/nat-probe/marked-syn.ts";
import { readMarked } from "../../../../agent/src/io/probe/sniff.ts";

/** A UDP datagram from port 4096 to port 4191, its checksum left out. */
const udp = (payload: string): string =>
  `1000105f${(8 + payload.length / 2).toString(16).padStart(4, "0")}0000${payload}`;
/** An IPv4 header with this many words of options; the other fields are not used here. */
const ipv4 = (words: number): string => `4${(5 + words).toString(16)}`.padEnd(2 * (20 + 4 * words), "0");
const octets = (hex: string): Uint8Array => Buffer.from(hex, "hex");

test("a mark is read after an IPv4 header of any length, and without one over IPv6", () => {
  const heard = { mark: "aabb01", port: 4191 };
  expect(
    readMarked(octets(ipv4(0) + udp("aabb01")), { protocol: "udp", family: 4, marks: ["aabb00", "aabb01"] }),
  ).toEqual(heard);
  expect(readMarked(octets(ipv4(3) + udp("aabb01")), { protocol: "udp", family: 4, marks: ["aabb01"] })).toEqual(heard);
  expect(readMarked(octets(udp("aabb01")), { protocol: "udp", family: 6, marks: ["aabb01"] })).toEqual(heard);
});

test.each([
  ["other payloads", ipv4(0) + udp("aabb02")],
  ["payloads that only begin with a mark", ipv4(0) + udp("aabb0102")],
  ["datagrams cut short", ipv4(0) + udp("aabb01").slice(0, 14)],
  ["headers cut short", "45"],
  ["headers that are shorter than they can be", `41${udp("aabb01")}`],
  ["nothing at all", ""],
])("%s are no mark", (_, packet) => {
  expect(readMarked(octets(packet), { protocol: "udp", family: 4, marks: ["aabb01"] })).toBeUndefined();
});

test("a mark is read after a TCP header of any length, and the SYN that carries it has a valid checksum", () => {
  const [source, destination] = [
    { ip: "198.18.0.2", port: 60_999 },
    { ip: "198.18.0.4", port: 8080 },
  ];
  const syn = encodeMarkedSyn(source, destination, octets("aabb01"));
  const pseudoHeader = octets("c6120002c61200040006" + syn.length.toString(16).padStart(4, "0"));
  expect(hasValidChecksum(pseudoHeader, syn)).toBe(true);
  const read = (segment: Uint8Array, family: 4 | 6) =>
    readMarked(Buffer.concat([octets(family === 4 ? ipv4(0) : ""), segment]), {
      protocol: "tcp",
      family,
      marks: ["aabb01"],
    });
  expect(read(syn, 4)).toEqual({ mark: "aabb01", port: 8080 });
  expect(read(syn, 6)).toEqual({ mark: "aabb01", port: 8080 });
  const withOption = Buffer.concat([syn.subarray(0, 20), octets("020405b4"), syn.subarray(20)]);
  withOption.writeUInt8(0x60, 12);
  expect(read(withOption, 4)).toEqual({ mark: "aabb01", port: 8080 });
  expect(read(syn.subarray(0, 19), 4)).toBeUndefined();
});
