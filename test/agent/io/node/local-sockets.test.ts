import { expect, test } from "vitest";
import type { InterfaceSetup } from "../../../../agent/src/control/messages.ts";
import { localSockets } from "../../../../agent/src/io/node/local-sockets.ts";

function interfaceOn(segment: string, ...addresses: readonly string[]): InterfaceSetup {
  return { segment, interfaceName: segment, find: { by: "name", name: segment }, mac: "02:00:00:00:00:01", addresses };
}

test("a socket knows its prefix, and whether a route of its IP version leads out of its segment", () => {
  const interfaces = [interfaceOn("bridge", "10.99.0.2/24"), interfaceOn("lan", "192.168.1.2/25", "2001:db8:1::2/64")];
  const routes = [{ to: "0.0.0.0/0", via: "192.168.1.1", interfaceName: "lan" }];
  expect(localSockets({ interfaces, routes }, ["10.99.0.2", "2001:db8:1::2", "192.168.1.2"], 40_000)).toEqual([
    { ip: "10.99.0.2", port: 40_000, prefixLength: 24, hasRouter: false, interfaceName: "bridge" },
    { ip: "2001:db8:1::2", port: 40_000, prefixLength: 64, hasRouter: false, interfaceName: "lan" },
    { ip: "192.168.1.2", port: 40_000, prefixLength: 25, hasRouter: true, interfaceName: "lan" },
  ]);
});

test("of two segments with one address the one counts that the node is attached to", () => {
  const interfaces = [
    { ...interfaceOn("home", "192.168.1.2/24"), isStandby: true },
    interfaceOn("office", "192.168.1.2/24"),
  ];
  const routes = [{ to: "0.0.0.0/0", via: "192.168.1.1", interfaceName: "office" }];
  expect(localSockets({ interfaces, routes }, ["192.168.1.2"], 1)).toMatchObject([{ hasRouter: true }]);
});

test("of an address that no interface has nothing is known", () => {
  expect(localSockets({ interfaces: [], routes: [] }, ["192.0.2.1"], 1)).toEqual([{ ip: "192.0.2.1", port: 1 }]);
});
