/** The names of a lab. */

import type { NodeSetup } from "@testbed/agent/control";
import { withoutLength } from "../topology/model/address-text.ts";
import type { ResolvedNode, ResolvedTopology } from "../topology/model/resolved.ts";
import { isSessionEnd, peerAddressOf } from "../topology/model/session-end.ts";

/** Every node's name with each address at which others reach it. */
export function namesOf({ nodes }: ResolvedTopology): NodeSetup["hosts"] {
  return nodes.flatMap(namesOfNode);
}

/** Its peer address, or those on its first segment. */
function namesOfNode(node: ResolvedNode): NodeSetup["hosts"] {
  const [first] = node.interfaces;
  const own = [first?.ipv4, first?.ipv6].filter((address) => address !== undefined).map(withoutLength);
  return (isSessionEnd(node) ? [peerAddressOf(node)] : own).map((address) => ({ address, name: node.name }));
}
