/** Addresses of the lab as environment variables of a host program. */

import { withoutLength } from "../topology/model/address-text.ts";
import type { ResolvedHost, ResolvedNode } from "../topology/model/resolved.ts";

/**
 * The variables of a host: `MICE_SELF`, `MICE_SELF_IPV4`, `MICE_SELF_IPV6`, and for every node
 * `MICE_NODE_<NAME>_IPV4`, `_IPV6` (on its first segment: the outside one of a router) and `_HOME_ADDRESS`, the name in
 * capitals with `_` for `-`. Variables that the file sets override these.
 */
export function labEnvironment(host: ResolvedHost, nodes: readonly ResolvedNode[]): Readonly<Record<string, string>> {
  return {
    MICE_SELF: host.name,
    ...addresses("MICE_SELF", host),
    ...Object.fromEntries(nodes.flatMap((node) => Object.entries(addresses(variableName(node.name), node)))),
    ...host.environment,
  };
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
