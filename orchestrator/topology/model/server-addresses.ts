/**
 * At which addresses a node reaches a home agent. The address of a home agent behind a NAT is not usable outside. There
 * it is reached at the NAT's address, if both of its ports are forwarded, or at its translated address if its prefix is
 * translated.
 */

import { DSMIPV6_PORT, STUN_PORT } from "@testbed/agent/control";
import { addressAt, contains, offsetIn, parseNetwork } from "./address-text.ts";
import { hasAddress, nextHop } from "./forwarding.ts";
import { outsideIpv4 } from "./outside.ts";
import type { ResolvedHomeAgent, ResolvedNode, ResolvedRouter, ResolvedTopology } from "./resolved.ts";

/** UDP ports of a home agent: tunnel and registration (RFC 5555), STUN. */
const HOME_AGENT_PORTS = [DSMIPV6_PORT, STUN_PORT];

/** For each address that the home agent listens on, the one that reaches it; the address itself if none does. */
export function homeAgentAddresses(
  topology: ResolvedTopology,
  from: ResolvedNode,
  homeAgent: ResolvedHomeAgent,
): readonly string[] {
  return homeAgent.listen.map((ip) => addressTowards(topology, from, { ip, owner: homeAgent }) ?? ip);
}

/** The addresses at which a node reaches a STUN server (home agents are STUN servers too); none for other nodes. */
export function stunAddresses(topology: ResolvedTopology, from: ResolvedNode, server: ResolvedNode): readonly string[] {
  if (server.role === "home-agent") return homeAgentAddresses(topology, from, server);
  return "listen" in server ? server.listen : [];
}

/** Whether routes lead to the home agent at one of its addresses. */
export function reachesHomeAgent(
  topology: ResolvedTopology,
  from: ResolvedNode,
  homeAgent: ResolvedHomeAgent,
): boolean {
  return homeAgent.listen.some((ip) => addressTowards(topology, from, { ip, owner: homeAgent }) !== undefined);
}

function addressTowards(topology: ResolvedTopology, from: ResolvedNode, place: Place): string | undefined {
  return standIns(topology, place).find((candidate) => leadsTo(topology, from, candidate))?.ip;
}

/** An address, and the node that receives packets for it. */
interface Place {
  readonly ip: string;
  readonly owner: ResolvedNode;
}

/** Stand-ins by owner and address. Cached: all nodes of a topology ask for those of a few home agents. */
const knownStandIns = new WeakMap<ResolvedTopology, Map<string, readonly Place[]>>();

function standIns(topology: ResolvedTopology, place: Place): readonly Place[] {
  const ofTopology = knownStandIns.get(topology) ?? new Map<string, readonly Place[]>();
  knownStandIns.set(topology, ofTopology);
  const key = keyOf(place);
  const found = ofTopology.get(key) ?? findStandIns(topology, place, new Set());
  ofTopology.set(key, found);
  return found;
}

/**
 * The place itself, and its translated addresses, from the inside outwards. Each is followed once: routers that
 * translate each other's networks would have more ways than can be counted.
 */
function findStandIns(topology: ResolvedTopology, place: Place, seen: Set<string>): readonly Place[] {
  if (seen.has(keyOf(place))) return [];
  seen.add(keyOf(place));
  const further = topology.nodes.flatMap((node): readonly Place[] => {
    if (node.role !== "router" || node.name === place.owner.name) return [];
    const outside = outsideOf(node, place.ip);
    if (outside.length === 0 || !leadsTo(topology, node, place)) return [];
    return outside.flatMap((ip) => findStandIns(topology, { ip, owner: node }, seen));
  });
  return [place, ...further];
}

function keyOf({ ip, owner }: Place): string {
  return `${owner.name} ${ip}`;
}

function outsideOf({ forwards, prefixes, ...router }: ResolvedRouter, ip: string): readonly string[] {
  const isForwarded = HOME_AGENT_PORTS.every((port) =>
    forwards.some((each) => each.protocol === "udp" && each.to === ip && each.port === port && each.toPort === port),
  );
  const own = outsideIpv4(router);
  const exchanged = prefixes.flatMap(({ inside, outside }) => {
    const network = parseNetwork(inside);
    return contains(network, ip) ? [addressAt(parseNetwork(outside), offsetIn(network, ip))] : [];
  });
  return [...(isForwarded && own !== undefined ? [own] : []), ...exchanged];
}

/** Whether packets to an address end at its owner: another segment may have the same address. */
function leadsTo(topology: ResolvedTopology, from: ResolvedNode, { ip, owner }: Place): boolean {
  let at: ResolvedNode | undefined = from;
  for (let hops = 0; at !== undefined && hops <= topology.nodes.length; hops += 1) {
    if (takes(at, ip)) return at.name === owner.name;
    if (at.name !== from.name && at.role !== "router") return false;
    at = nextHop(topology, at, ip)?.to?.node;
  }
  return false;
}

/** Whether a node receives packets for an address, or translates it. */
function takes(node: ResolvedNode, ip: string): boolean {
  return (
    hasAddress(node, ip) ||
    (node.role === "router" && node.prefixes.some(({ outside }) => contains(parseNetwork(outside), ip)))
  );
}
