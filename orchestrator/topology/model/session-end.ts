/** The nodes that can be an end of a session, and the address by which peers identify them. */

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

/** The IPv6 address that peers of a session use: the home address, or a stationary node's address. */
export function peerAddressOf(node: SessionEnd): string {
  return node.role === "stationary-node" ? node.address : node.homeAddress;
}

/** The address of each possible end of a session by name of the node: see `peerAddressOf`. */
export function homeAddresses(nodes: readonly ResolvedNode[]): ReadonlyMap<string, string> {
  return new Map(nodes.filter(isSessionEnd).map((node) => [node.name, peerAddressOf(node)]));
}
