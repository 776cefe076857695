import { expect, test } from "vitest";
import { isOnLink, reaches } from "../../../agent/src/core/local-socket.ts";

const BRIDGE = { ip: "10.99.0.2", port: 1, prefixLength: 24, hasRouter: false };

test("a segment without a router leads to its own addresses and no further", () => {
  expect(["10.99.0.77", "10.99.1.2", "198.18.0.1", "2001:db8::1"].filter((ip) => reaches(BRIDGE, ip))).toEqual([
    "10.99.0.77",
  ]);
});

test("a router, or no knowledge of one, leads everywhere", () => {
  expect(reaches({ ...BRIDGE, hasRouter: true }, "198.18.0.1")).toBe(true);
  expect(reaches({ ip: "10.99.0.2", port: 1 }, "198.18.0.1")).toBe(true);
});

test("without a prefix nobody is known to be on the segment", () => {
  expect(isOnLink({ ip: "10.99.0.2", port: 1 }, "10.99.0.3")).toBe(false);
  expect(isOnLink({ ip: "2001:db8::1", port: 1, prefixLength: 64 }, "2001:db8::2")).toBe(true);
});
