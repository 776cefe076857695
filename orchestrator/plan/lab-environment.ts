/** Addresses of the lab as environment variables of a host program. */

import { STUN_PORT } from "@testbed/agent/control";
import { familyOfText, formatEndpoint, withoutLength } from "../topology/model/address-text.ts";
import type { ResolvedHost, ResolvedNode, ResolvedTopology } from "../topology/model/resolved.ts";
import { stunAddresses } from "../topology/model/server-addresses.ts";

/**
 * The variables of a host: `MICE_SELF`, `MICE_SELF_IPV4`, `MICE_SELF_IPV6`, and for every node
 * `MICE_NODE_<NAME>_IPV4`, `_IPV6` (on its first segment: the outside one of a router) and `_HOME_ADDRESS`, the name in
 * capitals with `_` for `-`. `MICE_STUN` is `address:port` of a STUN server. Variables that the file sets override these.
 */
export function labEnvironment(host: ResolvedHost, topology: ResolvedTopology): Readonly<Record<string, string>> {
  const { nodes } = topology;
  const stun = stunOf(host, topology);
  return {
    MICE_SELF: host.name,
    ...addresses("MICE_SELF", host),
    ...Object.fromEntries(nodes.flatMap((node) => Object.entries(addresses(variableName(node.name), node)))),
    ...(stun === undefined ? {} : { MICE_STUN: formatEndpoint({ ip: stun, port: STUN_PORT }) }),
    ...host.environment,
  };
}

/** An address of the first STUN server or else home agent, of IPv4 where the host has that. */
function stunOf(host: ResolvedHost, topology: ResolvedTopology): string | undefined {
  const family = host.interfaces.some(({ ipv4 }) => ipv4 !== undefined) ? 4 : 6;
  return (["stun-server", "home-agent"] as const)
    .flatMap((role) => topology.nodes.filter((node) => node.role === role))
    .flatMap((server) => stunAddresses(topology, host, server))
    .find((address) => familyOfText(address) === family);
}

function variableName(node: string): string {
  return `MICE_NODE_${node.toUpperCase().replaceAll("-", "_")}`;
}

function addresses(prefix: string, node: ResolvedNode): Readonly<Record<string, string>> {
  const [first] = node.interfaces;
  return {
    ...(first?.ipv4 === undefined ? {} : { [`${prefix}_IPV4`]: withoutLength(first.ipv4) }),
    ...(first?.ipv6 === undefined ? {} : { [`${prefix}_IPV6`]: withoutLength(first.ipv6) }),
    ...("homeAddress" in node ? { [`${prefix}_HOME_ADDRESS`]: node.homeAddress } : {}),
  };
}
