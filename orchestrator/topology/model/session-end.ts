/** What can be one end of a session, and what its peer knows it by. */

import type { ResolvedMobileNode, ResolvedNode, ResolvedStationaryNode } from "./resolved.ts";

/** A node that speaks M-ICE. */
export type SessionEnd = ResolvedMobileNode | ResolvedStationaryNode;

export function isSessionEnd(node: ResolvedNode): node is SessionEnd {
  return isMobile(node) || node.role === "stationary-node";
}

/** True for a node with a home agent. */
export function isMobile(node: ResolvedNode): node is ResolvedMobileNode {
  return node.role === "mobile-node" || node.role === "correspondent-node";
}

/** The IPv6 address that peers of a session know: the home address, or a stationary node's own. */
export function peerAddressOf(node: SessionEnd): string {
  return node.role === "stationary-node" ? node.address : node.homeAddress;
}

/** What peers know each end of a session by, by name of the node: see `peerAddressOf`. */
export function homeAddresses(nodes: readonly ResolvedNode[]): ReadonlyMap<string, string> {
  return new Map(nodes.filter(isSessionEnd).map((node) => [node.name, peerAddressOf(node)]));
}
