import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addressFromBytes,
  addressToBytes,
  canonicalAddress,
  familyOf,
  formatSocketAddress,
  mappedIpv6Bytes,
  sameSocketAddress,
  unmappedIpv4,
} from "../../../agent/src/core/address.ts";
import { fromHex, toHex } from "../../vectors/hex.ts";

describe("canonicalAddress", () => {
  // The rules and most examples are those of RFC 5952 sections 4 and 5.
  test.each([
    { name: "leading zeros go", text: "2001:0db8::0001", canonical: "2001:db8::1" },
    { name: "a run of zeros becomes ::", text: "2001:db8:0:0:0:0:2:1", canonical: "2001:db8::2:1" },
    { name: "one zero group is no run", text: "2001:db8:0:1:1:1:1:1", canonical: "2001:db8:0:1:1:1:1:1" },
    { name: "a lone :: for one group is written out", text: "2001:db8::1:1:1:1:1", canonical: "2001:db8:0:1:1:1:1:1" },
    { name: "the longest run wins", text: "2001:0:0:1:0:0:0:1", canonical: "2001:0:0:1::1" },
    { name: "the first of equal runs wins", text: "2001:db8:0:0:1:0:0:1", canonical: "2001:db8::1:0:0:1" },
    { name: "letters are lower case", text: "2001:DB8::AAAA", canonical: "2001:db8::aaaa" },
    { name: "the unspecified address", text: "0:0:0:0:0:0:0:0", canonical: "::" },
    { name: "the loopback address", text: "0:0:0:0:0:0:0:1", canonical: "::1" },
    { name: "zeros at the end", text: "2001:db8:a:0:0:0:0:0", canonical: "2001:db8:a::" },
    { name: "an IPv4-mapped address is dotted", text: "::ffff:c633:640a", canonical: "::ffff:198.51.100.10" },
    { name: "a dotted tail is read", text: "64:ff9b::192.0.2.33", canonical: "64:ff9b::c000:221" },
    { name: "IPv4 stays", text: "198.51.100.10", canonical: "198.51.100.10" },
  ])("$name: $text", ({ text, canonical }) => {
    expect(canonicalAddress(text)).toBe(canonical);
  });

  test.each([
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.04",
    "1.2.3.-4",
    "1.2.3.4 ",
    "0x1.2.3.4",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "1:2:3:4:5:6:7::8:9",
    "1:2:3:4::5:6:7:8",
    "12345::",
    "g::",
    "1:2:3:4:5:6:7:",
    ":1:2:3:4:5:6:7",
    "::1.2.3",
    "::1.2.3.256",
    "1.2.3.4::",
    "fe80::1%eth0",
  ])("refuses %j", (text) => {
    expect(() => canonicalAddress(text)).toThrow(RangeError);
  });

  test("is idempotent, and text and octets name each other", () => {
    const octets = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.array(fc.constantFrom(0, 0, 1, 0xff), { minLength: 16, maxLength: 16 }).map((each) => Uint8Array.from(each)),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(octets, (bytes) => {
        const text = addressFromBytes(bytes);
        expect(addressToBytes(text)).toEqual(bytes);
        expect(canonicalAddress(text)).toBe(text);
      }),
    );
  });
});

describe("addressToBytes and addressFromBytes", () => {
  test("carry sixteen octets of IPv6 and four of IPv4", () => {
    expect(toHex(addressToBytes("2001:db8:a::100"))).toBe("20010db8000a00000000000000000100");
    expect(toHex(addressToBytes("198.51.100.10"))).toBe("c633640a");
    expect(addressFromBytes(Buffer.from("c633640a", "hex"))).toBe("198.51.100.10");
  });

  test.each([0, 3, 5, 15, 17])("refuses %d octets", (length) => {
    expect(() => addressFromBytes(new Uint8Array(length))).toThrow(`an address has 4 or 16 octets, not ${length}`);
  });
});

test("familyOf tells the IP version of address text", () => {
  expect(familyOf("198.51.100.10")).toBe(4);
  expect(familyOf("::ffff:198.51.100.10")).toBe(6);
});

test("formatSocketAddress brackets IPv6", () => {
  expect(formatSocketAddress({ ip: "198.51.100.10", port: 3478 })).toBe("198.51.100.10:3478");
  expect(formatSocketAddress({ ip: "2001:db8::1", port: 0 })).toBe("[2001:db8::1]:0");
});

test("sameSocketAddress compares address and port", () => {
  const address = { ip: "2001:db8::1", port: 3478 };
  expect(sameSocketAddress(address, { ...address })).toBe(true);
  expect(sameSocketAddress(address, { ...address, port: 3479 })).toBe(false);
  expect(sameSocketAddress(address, { ...address, ip: "2001:db8::2" })).toBe(false);
});

describe("IPv4-mapped octets", () => {
  test("hold the IPv4 address in their last four", () => {
    const mapped = mappedIpv6Bytes("198.51.100.10");
    expect(toHex(mapped)).toBe("00000000000000000000ffffc633640a");
    expect(unmappedIpv4(mapped)).toBe("198.51.100.10");
  });

  test.each([
    { name: "another prefix", octets: "20010db8000000000000ffffc633640a" },
    { name: "no 0xFFFF", octets: "00000000000000000000fffec633640a" },
    { name: "four octets", octets: "c633640a" },
  ])("are not those with $name", ({ octets }) => {
    expect(unmappedIpv4(fromHex(octets))).toBeUndefined();
  });
});
