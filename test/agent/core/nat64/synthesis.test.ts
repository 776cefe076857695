import { expect, test } from "vitest";
import { createSynthesis } from "../../../../agent/src/core/nat64/synthesis.ts";

/** RFC 6052 section 2.4, in RFC 5952 form. */
const VECTORS = [
  ["2001:db8::/32", "2001:db8:c000:221::"],
  ["2001:db8:100::/40", "2001:db8:1c0:2:21::"],
  ["2001:db8:122::/48", "2001:db8:122:c000:2:2100::"],
  ["2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"],
  ["2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100:0"],
  ["2001:db8:122:344::/96", "2001:db8:122:344::c000:221"],
  ["64:ff9b::/96", "64:ff9b::c000:221"],
] as const;

test.each(VECTORS)("192.0.2.33 behind %s is %s, as in RFC 6052", (prefix, ipv6) => {
  const { toIpv6, toIpv4 } = createSynthesis(prefix);
  expect(toIpv6("192.0.2.33")).toBe(ipv6);
  expect(toIpv4(ipv6)).toBe("192.0.2.33");
});

test("an address without the prefix stands for no IPv4 address", () => {
  expect(createSynthesis("64:ff9b::/96").toIpv4("2001:db8::c000:221")).toBeUndefined();
  // Octet 8 is reserved.
  expect(createSynthesis("2001:db8:122::/48").toIpv4("2001:db8:122:c000:102:2100::")).toBeUndefined();
});

test("a prefix of another length is refused", () => {
  expect(() => createSynthesis("64:ff9b::/80")).toThrow("not a prefix of a NAT64: 64:ff9b::/80");
});
