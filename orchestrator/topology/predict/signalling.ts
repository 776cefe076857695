/**
 * Whether the signalling of a session reaches a stationary node: Mobility Headers come from the peer's home agent as
 * plain IPv6, and a firewall in front of the node admits them only if so configured (RFC 4487 section 5.2).
 */

import { contains, parseNetwork } from "../model/address-text.ts";
import { type Hop, hasAddress, nextHop } from "../model/forwarding.ts";
import type {
  ResolvedFirewall,
  ResolvedMobileNode,
  ResolvedNode,
  ResolvedRouter,
  ResolvedStationaryNode,
  ResolvedTopology,
} from "../model/resolved.ts";

/**
 * The firewall that drops unsolicited Mobility Headers from a mobile node's home agent to a stationary node, if any.
 */
export function signallingObstacle(
  topology: ResolvedTopology,
  mobile: ResolvedMobileNode,
  stationary: ResolvedStationaryNode,
): string | undefined {
  let at: ResolvedNode | undefined = topology.nodes.find(({ name }) => name === mobile.homeAgent);
  for (let hops = 0; at !== undefined && hops < topology.nodes.length; hops += 1) {
    if (hasAddress(at, stationary.address)) return undefined;
    const next: Hop["to"] = nextHop(topology, at, stationary.address)?.to;
    if (next !== undefined && isFromOutside(next) && !admits(next.node.firewall, mobile, stationary))
      return next.node.name;
    at = next?.node;
  }
  return undefined;
}

type Arrival = NonNullable<Hop["to"]>;

function isFromOutside(arrival: Arrival): arrival is Arrival & { readonly node: ResolvedRouter } {
  return arrival.node.role === "router" && arrival.node.wan.includes(arrival.in.interfaceName);
}

function admits(
  { inbound, pinholes }: ResolvedFirewall,
  { homeAddress }: ResolvedMobileNode,
  { address }: ResolvedStationaryNode,
): boolean {
  return (
    inbound === "open" ||
    pinholes.some(
      ({ protocol, to, from }) =>
        protocol === "mh" && to === address && (from === undefined || isWithin(homeAddress, from)),
    )
  );
}

/** `from` is an address or a network. */
function isWithin(address: string, from: string): boolean {
  return from.includes("/") ? contains(parseNetwork(from), address) : from === address;
}
