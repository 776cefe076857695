/**
 * Default routes of nodes in the open. On the internet a packet to an address that nobody has is sent and never heard
 * of again. Without a route the kernel refuses to send it, and servers that meet a peer's private address give up.
 */

import type { RouteSetup } from "@testbed/agent/control";
import { isOpenSegment } from "../topology/model/open-segment.ts";
import type { Place, ResolvedNode, ResolvedTopology } from "../topology/model/resolved.ts";
import { isMobile } from "../topology/model/session-end.ts";

const DEFAULTS = { ipv4: "0.0.0.0/0", ipv6: "::/0" } as const;

/**
 * The routes of a node at a place that lead to the edges of open segments: one of each IP version without another
 * default route. A mobile node uses all of its segments at once and has one on each.
 */
export function edgeRoutes(
  topology: ResolvedTopology,
  node: ResolvedNode,
  { interfaces, routes }: Place = node,
): readonly RouteSetup[] {
  const open = interfaces.filter(({ segment }) => isOpenSegment(topology, segment));
  return (["ipv4", "ipv6"] as const).flatMap((version) => {
    const to = DEFAULTS[version];
    const own = routes.filter((route) => route.to === to);
    const edges = open
      .filter((attached) => attached[version] !== undefined)
      .map(({ interfaceName }) => ({ to, interfaceName }));
    if (!isMobile(node)) return own.length > 0 ? [] : edges.slice(0, 1);
    return edges.filter(({ interfaceName }) => !own.some((route) => route.interfaceName === interfaceName));
  });
}
