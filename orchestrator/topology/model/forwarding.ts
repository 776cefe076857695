/** Forwarding in a resolved topology, one hop at a time, as the kernel looks routes up. */

import {
  addressToNumber,
  containsNumber,
  familyOfText,
  type Network,
  parseNetwork,
  withoutLength,
} from "./address-text.ts";
import { keepsApart } from "./isolation.ts";
import type { ResolvedInterface, ResolvedNode, ResolvedTopology } from "./resolved.ts";

/**
 * The interface a packet leaves by, and the node that receives it; no node if none has the next address, or if the
 * segment keeps the node that has it apart, which is then named.
 */
export interface Hop {
  readonly out: ResolvedInterface;
  readonly keptFrom?: string;
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
  const route = bestRoute(node, destination, interfaceOfSource);
  const out = node.interfaces.find(({ interfaceName }) => interfaceName === route?.interfaceName);
  if (route === undefined || out === undefined) return undefined;
  const neighbour = neighbourWith(topology, node, out.segment, route.via ?? destination);
  if (neighbour === undefined) return { out };
  return keepsApart(topology, out.segment, node, neighbour.node)
    ? { out, keptFrom: neighbour.node.name }
    : { out, to: neighbour };
}

/** Whether the node itself has the address. */
export function hasAddress(node: ResolvedNode, address: string): boolean {
  return node.interfaces.some((own) => holds(own, address));
}

function holds(own: ResolvedInterface, address: string): boolean {
  return addressesOf(own).includes(address);
}

function addressesOf({ ipv4, ipv6, alternate, pool = [] }: ResolvedInterface): readonly string[] {
  return [ipv4, ipv6, alternate?.ipv4, alternate?.ipv6, ...pool]
    .filter((each) => each !== undefined)
    .map(withoutLength);
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

function bestRoute(node: ResolvedNode, destination: string, interfaceOfSource: string | undefined): Route | undefined {
  const family = familyOfText(destination);
  const wanted = addressToNumber(destination);
  const routes = routesOf(node);
  const best = routes.find(({ to }) => to.family === family && containsNumber(to, wanted));
  const isAsGood = ({ to, interfaceName }: Route): boolean =>
    interfaceName === interfaceOfSource &&
    to.length === best?.to.length &&
    to.base === best.to.base &&
    to.family === family;
  return best === undefined ? undefined : (routes.find(isAsGood) ?? best);
}

/** An interface, and the node whose it is. */
interface Neighbour {
  readonly node: ResolvedNode;
  readonly in: ResolvedInterface;
}

/** The neighbours of each topology by `<segment> <address>`. Cached: a topology may have hundreds of nodes. */
const knownNeighbours = new WeakMap<ResolvedTopology, ReadonlyMap<string, readonly Neighbour[]>>();

function neighboursOf(topology: ResolvedTopology): ReadonlyMap<string, readonly Neighbour[]> {
  const known = knownNeighbours.get(topology);
  if (known !== undefined) return known;
  const all = topology.nodes.flatMap((node) =>
    node.interfaces.flatMap((own) =>
      addressesOf(own).map((address) => ({ key: `${own.segment} ${address}`, neighbour: { node, in: own } })),
    ),
  );
  const neighbours = new Map<string, Neighbour[]>();
  for (const { key, neighbour } of all) neighbours.set(key, [...(neighbours.get(key) ?? []), neighbour]);
  knownNeighbours.set(topology, neighbours);
  return neighbours;
}

function neighbourWith(
  topology: ResolvedTopology,
  sender: ResolvedNode,
  segment: string,
  address: string,
): Neighbour | undefined {
  return neighboursOf(topology)
    .get(`${segment} ${address}`)
    ?.find(({ node }) => node.name !== sender.name);
}

interface Route {
  readonly to: Network;
  readonly via?: string;
  readonly interfaceName: string;
}

/** Cached: a prediction looks up each node's routes thousands of times. */
const knownRoutes = new WeakMap<ResolvedNode, readonly Route[]>();

/** Connected networks and static routes, the longest prefix first. */
function routesOf(node: ResolvedNode): readonly Route[] {
  const known = knownRoutes.get(node);
  if (known !== undefined) return known;
  const connected = node.interfaces.flatMap(({ ipv4, ipv6, interfaceName }) =>
    [ipv4, ipv6].flatMap((to) => (to === undefined ? [] : [{ to, interfaceName }])),
  );
  const routes = [...connected, ...node.routes]
    .map((route) => ({ ...route, to: parseNetwork(route.to) }))
    .toSorted((a, b) => b.to.length - a.to.length);
  knownRoutes.set(node, routes);
  return routes;
}
