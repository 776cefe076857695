/** Set-ups of nodes on one segment, with addresses derived from a number. */

import { CONTROL_VERSION, type NodeSetup, type RoleSetup } from "../../../agent/src/control/index.ts";

/** A node on one segment `net`, whose interface `eth0` it finds by name. */
export function setupOf(number: number, change: Partial<NodeSetup> = {}): NodeSetup {
  return {
    version: CONTROL_VERSION,
    node: `n${number}`,
    interfaces: [
      {
        segment: "net",
        interfaceName: "net",
        find: { by: "name", name: "eth0" },
        mac: `02:00:00:00:00:0${number}`,
        addresses: [`198.18.0.${number}/24`, `2001:db8::${number}/64`],
      },
    ],
    routes: [],
    rules: [],
    hosts: [],
    capture: false,
    role: { type: "host" },
    ...change,
  };
}

/** Home agent `a` or `b` at 198.18.0.<number>. */
export function homeAgentRole(home: "a" | "b", number: number): RoleSetup {
  return {
    type: "home-agent",
    address: `2001:db8:${home}::1`,
    homePrefix: `2001:db8:${home}::/64`,
    listen: [`198.18.0.${number}`],
    registrationKeys: {},
    tunMtu: 1400,
    seed: "0a",
  };
}

/** The mobile node of home `a` or `b` at 198.18.0.<number>, whose home agent is at 198.18.0.<agent>. */
export function mobileNodeRole(home: "a" | "b", number: number, agent: number): RoleSetup {
  return {
    type: home === "a" ? "mobile-node" : "correspondent-node",
    homeAddress: `2001:db8:${home}::2`,
    homeAgent: { address: `2001:db8:${home}::1`, listen: [`198.18.0.${agent}`] },
    localAddresses: [`198.18.0.${number}`],
    port: 4191,
    profile: "ice16",
    timers: {},
    tunMtu: 1400,
    seed: `0${number}`,
  };
}
