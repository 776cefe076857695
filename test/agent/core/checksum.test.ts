import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasValidChecksum, internetChecksum, ipv6PseudoHeader } from "../../../agent/src/core/checksum.ts";
import { fromHex, toHex } from "../../vectors/hex.ts";

describe("internetChecksum", () => {
  test("gives the sum of the example in RFC 1071 section 3, complemented", () => {
    expect(internetChecksum(fromHex("0001 f203 f4f5 f6f7"))).toBe(0xddf2 ^ 0xffff);
  });

  test.each([
    { name: "nothing", octets: "", checksum: 0xffff },
    { name: "zeros", octets: "0000 0000", checksum: 0xffff },
    { name: "all ones", octets: "ffff", checksum: 0x0000 },
    { name: "an odd octet, which counts as the high half", octets: "12", checksum: 0x1200 ^ 0xffff },
    { name: "a carry that carries again", octets: "ffff 0001 ffff", checksum: 0x0001 ^ 0xffff },
  ])("covers $name", ({ octets, checksum }) => {
    expect(internetChecksum(fromHex(octets))).toBe(checksum);
  });

  test("sums parts as if they were laid end to end, also where one ends in the middle of a word", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), fc.nat(64), (octets, a, b) => {
        const [first, second] = [Math.min(a, b), Math.max(a, b)];
        const parts = [octets.subarray(0, first), octets.subarray(first, second), octets.subarray(second)];
        expect(internetChecksum(...parts)).toBe(internetChecksum(octets));
      }),
    );
  });

  test("folds the carries of as many words as a datagram can hold", () => {
    expect(internetChecksum(new Uint8Array(65_534).fill(0xff))).toBe(0);
  });
});

describe("hasValidChecksum", () => {
  test("accepts what internetChecksum completes and refuses any flipped bit", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 40 }), fc.nat(), (drawn, position) => {
        const octets = new Uint8Array(drawn);
        octets.set([0, 0], 2);
        const checksum = internetChecksum(octets);
        octets.set([checksum >> 8, checksum & 0xff], 2);
        expect(hasValidChecksum(octets)).toBe(true);

        const bit = position % (octets.length * 8);
        octets[bit >> 3] = (octets[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(hasValidChecksum(octets)).toBe(false);
      }),
    );
  });
});

test("ipv6PseudoHeader lays out addresses, length and next header as RFC 8200 section 8.1 draws them", () => {
  const pseudoHeader = ipv6PseudoHeader({
    source: "2001:db8:a::100",
    destination: "2001:db8:b::200",
    length: 0x12345,
    nextHeader: 135,
  });

  expect(toHex(pseudoHeader)).toBe(
    "20010db8000a00000000000000000100" + "20010db8000b00000000000000000200" + "00012345" + "00000087",
  );
});
