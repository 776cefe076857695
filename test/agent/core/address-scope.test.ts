import { describe, expect, test } from "vitest";
import { isLinkLocal, isPrivate, isPrivateIpv4, isRoutable } from "../../../agent/src/core/address-scope.ts";

describe("addresses of less than the internet", () => {
  test.each([
    ["10.0.0.0", true],
    ["11.0.0.0", false],
    ["172.16.0.1", true],
    ["172.31.255.255", true],
    ["172.32.0.0", false],
    ["192.168.255.1", true],
    ["192.169.0.1", false],
    ["100.64.0.1", true],
    ["100.127.255.255", true],
    ["100.128.0.0", false],
    ["198.18.0.1", false],
    ["fc00::1", true],
    ["fdff::1", true],
    ["fe00::1", false],
    ["2001:db8::1", false],
  ])("%s is private: %s", (ip, is) => {
    expect(isPrivate(ip)).toBe(is);
    expect(isPrivateIpv4(ip)).toBe(is && !ip.includes(":"));
  });

  test.each([
    ["169.254.0.1", true],
    ["169.255.0.1", false],
    ["fe80::1", true],
    ["febf::1", true],
    ["fec0::1", false],
    ["2080::1", false],
    ["254.128.0.1", false],
  ])("%s is link-local: %s", (ip, is) => {
    expect(isLinkLocal(ip)).toBe(is);
  });
});

test.each([
  ["192.168.1.2", true],
  ["198.18.0.1", true],
  ["2001:db8::1", true],
  ["fd00::1", true],
  ["64:ff9b::1", true],
  ["0.0.0.0", false],
  ["127.0.0.1", false],
  ["169.254.1.1", false],
  ["224.0.0.1", false],
  ["255.255.255.255", false],
  ["::", false],
  ["::1", false],
  ["::ffff:192.0.2.1", false],
  ["fe80::1", false],
  ["ff02::1", false],
])("%s may be a host candidate: %s", (ip, is) => {
  expect(isRoutable(ip)).toBe(is);
});
