import { expect, test } from "vitest";
import type { NodeSpec } from "../../../../orchestrator/plan/plan.ts";
import { findConflicts } from "../../../../orchestrator/runtime/docker/address-conflict.ts";

function nodeWith(addresses: readonly string[], routes: readonly string[] = []): NodeSpec {
  const iface = { segment: "lan", interfaceName: "lan", mac: "02:00:00:00:00:01", addresses };
  const nothing = { rules: [], hosts: [], capture: false, role: { type: "host" } } as const;
  return {
    name: "mn",
    sysctls: {},
    tun: false,
    segments: ["lan"],
    setup: {
      version: 1,
      node: "mn",
      interfaces: [iface],
      routes: routes.map((to) => ({ to, interfaceName: "lan" })),
      ...nothing,
    },
  };
}

const NETWORKS = [
  { name: "bridge", subnets: ["172.17.0.0/16"] },
  { name: "theirs", subnets: ["192.168.1.0/24", "2001:db8:7::/64"] },
];

test.each([
  ["172.17.3.4/24", "bridge", "172.17.0.0/16"],
  ["192.168.1.2/30", "theirs", "192.168.1.0/24"],
  ["2001:db8:7::1/48", "theirs", "2001:db8:7::/64"],
])("%s lies in the network %s", (address, network, subnet) => {
  const use = `node mn has the address ${address}`;
  expect(findConflicts([nodeWith([address])], NETWORKS)).toEqual([{ use, network, subnet }]);
});

test.each([["172.18.0.1/16"], ["192.168.2.2/16"], ["2001:db8:8::1/64"]])("%s lies in none", (address) => {
  expect(findConflicts([nodeWith([address])], NETWORKS)).toEqual([]);
});

test.each([
  ["192.168.0.0/16", [{ use: "node mn has a route to 192.168.0.0/16", network: "theirs", subnet: "192.168.1.0/24" }]],
  ["192.168.2.0/24", []],
  ["0.0.0.0/0", []],
  ["::/0", []],
])("a route to %s: networks in which nobody has an address are looked at too", (to, conflicts) => {
  expect(findConflicts([nodeWith([], [to])], NETWORKS)).toEqual(conflicts);
});
