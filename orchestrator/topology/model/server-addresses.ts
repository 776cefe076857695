/**
 * At which addresses a node reaches a home agent. Inside of a middlebox that translates, a home agent has an address that means
 * nothing outside; what stands for it there is the middlebox's own, where both of its ports are forwarded, or the one of the
 * network that stands for the inside one.
 */

import { DSMIPV6_PORT, STUN_PORT } from "@testbed/agent/control";
import { addressAt, contains, offsetIn, parseNetwork, withoutLength } from "./address-text.ts";
import { hasAddress, nextHop } from "./forwarding.ts";
import type { ResolvedHomeAgent, ResolvedNode, ResolvedRouter, ResolvedTopology } from "./resolved.ts";

/** UDP ports of a home agent: tunnel and registration (RFC 5555), STUN. */
const HOME_AGENT_PORTS = [DSMIPV6_PORT, STUN_PORT];

/** For each address that the home agent listens on, the one that leads there; its own where none does. */
export function homeAgentAddresses(
  topology: ResolvedTopology,
  from: ResolvedNode,
  homeAgent: ResolvedHomeAgent,
): readonly string[] {
  return homeAgent.listen.map((ip) => addressTowards(topology, from, { ip, owner: homeAgent }) ?? ip);
}

/** Where a node asks a STUN server, which home agents are as well; none for a node that is no server. */
export function stunAddresses(topology: ResolvedTopology, from: ResolvedNode, server: ResolvedNode): readonly string[] {
  if (server.role === "home-agent") return homeAgentAddresses(topology, from, server);
  return "listen" in server ? server.listen : [];
}

/** Whether an address of the home agent leads there, as far as routes do. */
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

/** An address, and the node that takes packets to it. */
interface Place {
  readonly ip: string;
  readonly owner: ResolvedNode;
}

/** The place itself, and what stands for it further and further out. */
function standIns(topology: ResolvedTopology, place: Place, seen: readonly string[] = []): readonly Place[] {
  const further = topology.nodes.flatMap((node): readonly Place[] => {
    if (node.role !== "router" || seen.includes(node.name) || node.name === place.owner.name) return [];
    if (!leadsTo(topology, node, place)) return [];
    return outsideOf(node, place.ip).flatMap((ip) => standIns(topology, { ip, owner: node }, [...seen, node.name]));
  });
  return [place, ...further];
}

function outsideOf({ forwards, prefixes, interfaces, wan }: ResolvedRouter, ip: string): readonly string[] {
  const isForwarded = HOME_AGENT_PORTS.every((port) =>
    forwards.some((each) => each.protocol === "udp" && each.to === ip && each.port === port && each.toPort === port),
  );
  const own = interfaces.find(({ interfaceName }) => interfaceName === wan)?.ipv4;
  const exchanged = prefixes.flatMap(({ inside, outside }) => {
    const network = parseNetwork(inside);
    return contains(network, ip) ? [addressAt(parseNetwork(outside), offsetIn(network, ip))] : [];
  });
  return [...(isForwarded && own !== undefined ? [withoutLength(own)] : []), ...exchanged];
}

/** Whether packets to an address end at the node that is meant: another segment may have the same address. */
function leadsTo(topology: ResolvedTopology, from: ResolvedNode, { ip, owner }: Place): boolean {
  let at: ResolvedNode | undefined = from;
  for (let hops = 0; at !== undefined && hops <= topology.nodes.length; hops += 1) {
    if (takes(at, ip)) return at.name === owner.name;
    if (at.name !== from.name && at.role !== "router") return false;
    at = nextHop(topology, at, ip)?.to?.node;
  }
  return false;
}

/** Whether packets to an address go no further as they are. */
function takes(node: ResolvedNode, ip: string): boolean {
  return (
    hasAddress(node, ip) ||
    (node.role === "router" && node.prefixes.some(({ outside }) => contains(parseNetwork(outside), ip)))
  );
}
