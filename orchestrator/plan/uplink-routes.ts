/** Routes of a router with several outside segments, by the mark of a packet (`render/outside-choice.ts`). */

import type { RouteSetup } from "@testbed/agent/control";
import { familyOfText, formatNetwork, parseNetwork } from "../topology/model/address-text.ts";
import type { ResolvedNode, ResolvedTopology } from "../topology/model/resolved.ts";
import { byUplink } from "../topology/model/uplink.ts";
import { edgeRoutes } from "./edge-routes.ts";

/** For the mark of each outside segment, all IPv4 routes that its packets may take; none for other nodes. */
export function uplinkRoutes(topology: ResolvedTopology, node: ResolvedNode): readonly RouteSetup[] {
  if (node.role !== "router" || node.wan.length < 2) return [];
  return node.wan.flatMap((uplink, i) => {
    const part = byUplink(node, uplink);
    const connected = part.interfaces.flatMap(({ ipv4, interfaceName }) =>
      ipv4 === undefined ? [] : [{ to: formatNetwork(parseNetwork(ipv4)), interfaceName }],
    );
    return [...connected, ...part.routes, ...edgeRoutes(topology, part)]
      .filter(({ to }) => familyOfText(to) === 4)
      .map((route) => ({ ...route, mark: i + 1 }));
  });
}
