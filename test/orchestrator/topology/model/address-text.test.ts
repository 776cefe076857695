import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addressAt,
  canonicalText,
  contains,
  formatNetwork,
  networkProblem,
  offsetIn,
  overlaps,
  parseNetwork,
} from "../../../../orchestrator/topology/model/address-text.ts";

describe("networks as text", () => {
  test.each([
    ["198.18.0.0/24", 4],
    ["0.0.0.0/0", 4],
    ["2001:db8::/32", 6],
    ["2001:db8:0:1::/64", 6],
    ["::/0", 6],
  ] as const)("%s is one", (text, family) => {
    expect(networkProblem(text, family)).toBeUndefined();
    expect(formatNetwork(parseNetwork(text))).toBe(text);
  });

  test.each([
    ["198.18.0.0", 4],
    ["198.18.0.0/33", 4],
    ["198.18/16", 4],
    ["198.18.0.0/24/2", 4],
    ["198.18.0.0/x", 4],
    ["2001:db8::/129", 6],
    ["fe80::1%eth0/64", 6],
    ["198.18.0.0/24", 6],
    ["2001:db8::/32", 4],
    ["", 4],
  ] as const)("%s is none of IPv%i", (text, family) => {
    expect(networkProblem(text, family)?.expected).toContain(`expected an IPv${family} network`);
  });

  test("host bits are named with the network they belong to, and room for two hosts is asked for", () => {
    expect(networkProblem("192.168.1.7/24", 4)).toEqual({
      expected: "expected a network without host bits",
      advice: "write 192.168.1.0/24",
    });
    expect(networkProblem("192.168.1.0/31", 4)?.expected).toBe(
      "expected a network with room for two hosts, /30 or shorter",
    );
  });
});

test("IPv6 text becomes canonical", () => {
  expect(canonicalText("2001:DB8:0:0:0:0:0:01")).toBe("2001:db8::1");
  expect(addressAt(parseNetwork("2001:db8:a::/64"), 0x100n)).toBe("2001:db8:a::100");
});

test("an address lies in a network exactly as far as its offset says", () => {
  const octets = fc.uint8Array({ minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(octets, octets, fc.integer({ min: 0, max: 30 }), (base, other, length) => {
      const network = parseNetwork(`${base.join(".")}/${length}`);
      const address = other.join(".");
      expect(addressAt(network, offsetIn(network, address))).toBe(address);
      const mask = length === 0 ? 0 : (-1 << (32 - length)) >>> 0;
      const number = (bytes: Uint8Array) => bytes.reduce((sum, octet) => sum * 256 + octet, 0);
      expect(contains(network, address)).toBe((number(base) & mask) >>> 0 === (number(other) & mask) >>> 0);
    }),
  );
});

test("networks overlap when one contains the other, and never across IP versions", () => {
  const wide = parseNetwork("10.0.0.0/8");
  expect(overlaps(wide, parseNetwork("10.255.0.0/16"))).toBe(true);
  expect(overlaps(parseNetwork("10.255.0.0/16"), wide)).toBe(true);
  expect(overlaps(wide, parseNetwork("11.0.0.0/8"))).toBe(false);
  expect(overlaps(parseNetwork("0.0.0.0/0"), parseNetwork("::/0"))).toBe(false);
});
