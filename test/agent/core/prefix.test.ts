import { expect, test } from "vitest";
import { addressToBytes } from "../../../agent/src/core/address.ts";
import { parseIpv6Prefix, prefixContains } from "../../../agent/src/core/prefix.ts";

test.each([
  { prefix: "2001:db8:a::/64", address: "2001:db8:a::ffff:1", inside: true },
  { prefix: "2001:db8:a::/64", address: "2001:db8:a:1::1", inside: false },
  { prefix: "2001:db8:a0::/44", address: "2001:db8:af:ffff::1", inside: true },
  { prefix: "2001:db8:a0::/44", address: "2001:db8:b0::1", inside: false },
  { prefix: "::/0", address: "2001:db8::1", inside: true },
  { prefix: "2001:db8::1/128", address: "2001:db8::1", inside: true },
  { prefix: "2001:db8::1/128", address: "2001:db8::2", inside: false },
])("$address inside $prefix: $inside", ({ prefix, address, inside }) => {
  expect(prefixContains(parseIpv6Prefix(prefix), addressToBytes(address))).toBe(inside);
});

test.each(["2001:db8::", "2001:db8::/", "2001:db8::/129", "2001:db8::/x", "10.0.0.0/8", "x/64"])(
  "%s is no IPv6 prefix",
  (text) => {
    expect(() => parseIpv6Prefix(text)).toThrow(RangeError);
  },
);
