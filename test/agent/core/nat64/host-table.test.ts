import { expect, test } from "vitest";
import { createHostTable, translatedSource } from "../../../../agent/src/core/nat64/host-table.ts";

const NETWORK = { ipv6: "2001:db8:1:1::/64", pool: "100.127.0.0/24" };

test("an address made for a pool address stands for it, without state", () => {
  const table = createHostTable([NETWORK]);
  const source = translatedSource(NETWORK.ipv6, "100.127.0.2");
  expect(source).toBe("2001:db8:1:1::c1a7:2");
  expect(table.toIpv6("100.127.0.2")).toBe(source);
  expect(table.toIpv4(source)).toBe("100.127.0.2");
});

test("every other host has one address of the pool for good", () => {
  const table = createHostTable([NETWORK]);
  expect(table.toIpv4("2001:db8:1:1::5")).toBe("100.127.0.128");
  expect(table.toIpv4("2001:db8:1:1::6")).toBe("100.127.0.129");
  expect(table.toIpv4("2001:db8:1:1::5")).toBe("100.127.0.128");
  expect(table.toIpv6("100.127.0.128")).toBe("2001:db8:1:1::5");
  expect(table.toIpv6("100.127.0.200")).toBeUndefined();
});

test("a host of no network inside has no address, nor has one more than the pool has", () => {
  const table = createHostTable([NETWORK]);
  expect(table.toIpv4("2001:db8:2::5")).toBeUndefined();
  for (let i = 0; i < 127; i += 1) expect(table.toIpv4(`2001:db8:1:1::a:${i}`)).toBe(`100.127.0.${128 + i}`);
  expect(table.toIpv4("2001:db8:1:1::b")).toBeUndefined();
});
