import { expect, test } from "vitest";
import { addressToBytes } from "../../../agent/src/core/address.ts";
import { parseIpv6Prefix, parsePrefix, prefixContains } from "../../../agent/src/core/prefix.ts";

test.each([
  { prefix: "2001:db8:a::/64", address: "2001:db8:a::ffff:1", inside: true },
  { prefix: "2001:db8:a::/64", address: "2001:db8:a:1::1", inside: false },
  { prefix: "2001:db8:a0::/44", address: "2001:db8:af:ffff::1", inside: true },
  { prefix: "2001:db8:a0::/44", address: "2001:db8:b0::1", inside: false },
  { prefix: "::/0", address: "2001:db8::1", inside: true },
  { prefix: "::/0", address: "198.18.0.1", inside: false },
  { prefix: "2001:db8::1/128", address: "2001:db8::1", inside: true },
  { prefix: "2001:db8::1/128", address: "2001:db8::2", inside: false },
  { prefix: "192.168.1.0/24", address: "192.168.1.255", inside: true },
  { prefix: "192.168.1.0/24", address: "192.168.2.1", inside: false },
  { prefix: "100.64.0.0/10", address: "100.127.255.255", inside: true },
  { prefix: "0.0.0.0/0", address: "198.18.0.1", inside: true },
  { prefix: "0.0.0.0/0", address: "2001:db8::1", inside: false },
])("$address inside $prefix: $inside", ({ prefix, address, inside }) => {
  expect(prefixContains(parsePrefix(prefix), addressToBytes(address))).toBe(inside);
});

test.each(["2001:db8::", "2001:db8::/", "2001:db8::/129", "10.0.0.0/33", "2001:db8::/x", "x/64"])(
  "%s is no prefix",
  (text) => {
    expect(() => parsePrefix(text)).toThrow(RangeError);
  },
);

test("an IPv4 prefix is no IPv6 prefix", () => {
  expect(() => parseIpv6Prefix("10.0.0.0/8")).toThrow(RangeError);
});
