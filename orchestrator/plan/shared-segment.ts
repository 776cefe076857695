/** Segments that an engine's bridge networks carry: the machine is on each bridge, and is kept out of the lab. */

import type { SegmentNeighbours } from "@testbed/agent/control";
import type { NodeSpec } from "./plan.ts";

/** Options of the bridge: the machine has no IPv4 address on it and translates nothing. */
export const SEGMENT_BRIDGE_OPTIONS: Readonly<Record<string, string>> = {
  "com.docker.network.bridge.enable_ip_masquerade": "false",
  "com.docker.network.bridge.inhibit_ipv4": "true",
};

/**
 * The interfaces that a node may reach on a segment, of those that these nodes ever have there: all, or those of the
 * routers where its clients are kept apart.
 */
export function neighboursOn(
  segment: string,
  node: Pick<NodeSpec, "isolatedOn">,
  nodes: readonly Pick<NodeSpec, "setup" | "isolatedOn">[],
): SegmentNeighbours {
  const isIsolated = (each: Pick<NodeSpec, "isolatedOn">): boolean => each.isolatedOn?.includes(segment) === true;
  const interfaces = nodes
    .filter((each) => !isIsolated(node) || !isIsolated(each))
    .flatMap(({ setup }) => setup.interfaces)
    .filter((iface) => iface.segment === segment);
  return {
    macs: [...new Set(interfaces.map(({ mac }) => mac))],
    addresses: [...new Set(interfaces.flatMap(({ addresses }) => addresses))],
  };
}
