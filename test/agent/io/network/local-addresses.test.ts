import { expect, test } from "vitest";
import { withoutLocalRoute } from "../../../../agent/src/io/network/local-addresses.ts";

/** Lines of /proc/net/ipv6_route of a node with 2001:db8::1 on tun0: the prefix's route, the local one, and a default. */
const none = "00000000000000000000000000000000 00";
const next = "00000000000000000000000000000000";
const PREFIX = `20010db8000000000000000000000001 80 ${none} ${next} 00000100 00000001 00000000 00000001     tun0`;
const LOCAL = `20010db8000000000000000000000001 80 ${none} ${next} 00000000 00000002 00000000 80200001     tun0`;
const DEFAULT = `${none} ${none} ${next} ffffffff 00000001 00000000 00200200       lo`;

test("an address is the node's own once the kernel has its local route", () => {
  expect(withoutLocalRoute(["2001:db8::1"], `${[PREFIX, LOCAL, DEFAULT].join("\n")}\n`)).toEqual([]);
});

test("an address that is only listed, or has only its prefix's route, is not yet", () => {
  expect(withoutLocalRoute(["2001:db8::1"], `${[PREFIX, DEFAULT].join("\n")}\n`)).toEqual(["2001:db8::1"]);
  expect(withoutLocalRoute(["2001:db8::1", "2001:db8::2"], LOCAL)).toEqual(["2001:db8::2"]);
  expect(withoutLocalRoute(["2001:db8::1"], "")).toEqual(["2001:db8::1"]);
});
