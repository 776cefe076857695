/** Forwarding in a resolved topology, one hop at a time, as the kernel looks routes up. */

import { contains, familyOfText, type Network, parseNetwork, withoutLength } from "./address-text.ts";
import type { ResolvedInterface, ResolvedNode, ResolvedTopology } from "./resolved.ts";

/** The interface a packet leaves by, and the node that receives it; no node if none has the next address. */
export interface Hop {
  readonly out: ResolvedInterface;
  readonly to?: { readonly node: ResolvedNode; readonly in: ResolvedInterface };
}

/**
 * The next hop from a node to an address, or undefined if the node has no route. Of several default routes, the one
 * whose segment has the source address is used, if that is given.
 */
export function nextHop(
  topology: ResolvedTopology,
  node: ResolvedNode,
  destination: string,
  source?: string,
): Hop | undefined {
  const interfaceOfSource = node.interfaces.find((own) => source !== undefined && holds(own, source))?.interfaceName;
  const elsewhere = (name: string): number => (name === interfaceOfSource ? 0 : 1);
  const route = routesOf(node)
    .filter(({ to }) => contains(to, destination))
    .toSorted((a, b) => b.to.length - a.to.length || elsewhere(a.interfaceName) - elsewhere(b.interfaceName))[0];
  const out = node.interfaces.find(({ interfaceName }) => interfaceName === route?.interfaceName);
  if (route === undefined || out === undefined) return undefined;
  const neighbour = neighbourWith(topology, node, out.segment, route.via ?? destination);
  return neighbour === undefined ? { out } : { out, to: neighbour };
}

/** Whether the node itself has the address. */
export function hasAddress(node: ResolvedNode, address: string): boolean {
  return node.interfaces.some((own) => holds(own, address));
}

function holds({ ipv4, ipv6, alternate }: ResolvedInterface, address: string): boolean {
  const own = [ipv4, ipv6, alternate?.ipv4, alternate?.ipv6];
  return own.some((each) => each !== undefined && withoutLength(each) === address);
}

/** The node's addresses from which packets to a destination leave by the segment of that address. */
export function sourceAddresses(
  topology: ResolvedTopology,
  node: ResolvedNode,
  destination: string,
): readonly string[] {
  const key = `ipv${familyOfText(destination)}` as const;
  return node.interfaces.flatMap(({ interfaceName, [key]: own }) => {
    if (own === undefined) return [];
    const source = withoutLength(own);
    return nextHop(topology, node, destination, source)?.out.interfaceName === interfaceName ? [source] : [];
  });
}

function neighbourWith(topology: ResolvedTopology, sender: ResolvedNode, segment: string, address: string) {
  for (const node of topology.nodes) {
    if (node.name === sender.name) continue;
    const found = node.interfaces.find((candidate) => candidate.segment === segment && holds(candidate, address));
    if (found !== undefined) return { node, in: found };
  }
  return undefined;
}

interface Route {
  readonly to: Network;
  readonly via?: string;
  readonly interfaceName: string;
}

/** Cached: a prediction looks up each node's routes thousands of times. */
const knownRoutes = new WeakMap<ResolvedNode, readonly Route[]>();

/** Connected networks and static routes. */
function routesOf(node: ResolvedNode): readonly Route[] {
  const known = knownRoutes.get(node);
  if (known !== undefined) return known;
  const connected = node.interfaces.flatMap(({ ipv4, ipv6, interfaceName }) =>
    [ipv4, ipv6].flatMap((to) => (to === undefined ? [] : [{ to, interfaceName }])),
  );
  const routes = [...connected, ...node.routes].map((route) => ({ ...route, to: parseNetwork(route.to) }));
  knownRoutes.set(node, routes);
  return routes;
}
