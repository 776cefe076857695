/** Segments whose clients are kept apart, as those of an access point: only routers whose LAN it is reach all of them. */

import type { ResolvedNode, ResolvedTopology } from "./resolved.ts";

/** Whether a node on a segment reaches nobody there but its routers. */
export function isIsolatedClient({ segments }: ResolvedTopology, node: ResolvedNode, segment: string): boolean {
  const found = segments.find(({ name }) => name === segment);
  return found?.isIsolated === true && !(node.role === "router" && node.lan.includes(found.interfaceName));
}

/** Whether a segment carries nothing between two nodes on it. */
export function keepsApart(topology: ResolvedTopology, segment: string, a: ResolvedNode, b: ResolvedNode): boolean {
  return isIsolatedClient(topology, a, segment) && isIsolatedClient(topology, b, segment);
}
