/** Which daemons a node runs, with their configurations. */

import type { DaemonSetup, NodeSetup } from "@testbed/agent/control";
import type { ResolvedNode } from "../../topology/model/resolved.ts";
import { miniupnpd } from "./miniupnpd.ts";
import { unbound } from "./unbound.ts";

/** The daemons of a node, which start together; none for most. `names` are those of the lab. */
export function daemonsOf(node: ResolvedNode, names: NodeSetup["hosts"]): readonly DaemonSetup[] {
  switch (node.role) {
    case "dns":
      return [unbound(node, names)];
    case "router":
      return node.portMapping.length === 0 ? [] : [miniupnpd(node)];
    case "home-agent":
    case "stun-server":
    case "mobile-node":
    case "correspondent-node":
    case "stationary-node":
    case "host":
      return [];
  }
}
