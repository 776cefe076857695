/**
 * How many outside ports of NATs probes may take. Each new mapping draws a port, unless it keeps that of its socket, and
 * outlives its probe: where a NAT has few, the nodes inside of it would lack those that probes took.
 */

import type { NatDependence, NatProfile } from "@testbed/agent/control";
import { portPools } from "../render/drawn-ports.ts";
import { forwardedPorts } from "../render/nat-middlebox.ts";
import type { ResolvedRouter } from "../topology/model/resolved.ts";

/**
 * Takes the ports and mappings of a probe by these nodes through these NATs, innermost first; or says, taking none,
 * which NAT has too few.
 */
export type PortBudget = (routers: readonly ResolvedRouter[], nodes: readonly string[]) => string | undefined;

/** A budget of which nothing is spent. `nodesBehind` says how many nodes use a NAT, by its name. */
export function createPortBudget(nodesBehind: (router: string) => number): PortBudget {
  const left = new Map<string, number>();
  return (routers, nodes) => {
    const hosts = nodes.length;
    const limited = limitsOf(routers, nodes, nodesBehind);
    const excess = limited.find(({ key, free, wanted }) => wanted > (left.get(key) ?? free));
    if (excess !== undefined) return excess.why(left.get(excess.key) ?? excess.free);
    const needs = routers.flatMap((router) => {
      const { name, nat } = router;
      // Where flows share ports there are always enough.
      if (nat === undefined || nat.portAssignment === "overload") return [];
      const ports = portPools(nat, forwardedPorts(router.forwards, "udp"), router.insideHosts).reduce(
        (sum, pool) => sum + pool.ports.length,
        0,
      );
      const free = left.get(name) ?? ports - mostPortsOfNodes(nat, nodesBehind(name));
      return [{ name, ports, free, wanted: mostPortsOfProbes(nat, hosts) }];
    });
    const short = needs.find(({ free, wanted }) => wanted > free);
    if (short !== undefined)
      return `${short.name} has ${short.ports} ports to draw, and probes could take up to ${short.wanted} from its nodes`;
    for (const { name, free, wanted } of needs) left.set(name, free - wanted);
    for (const { key, free, wanted } of limited) left.set(key, (left.get(key) ?? free) - wanted);
    return undefined;
  };
}

/** What a NAT allows one of its hosts. */
interface Limit {
  readonly key: string;
  readonly free: number;
  readonly wanted: number;
  readonly why: (free: number) => string;
}

/**
 * Limits of each NAT on the way, for each of its hosts that probes are seen from: the node, or the NAT inside of it with
 * all nodes behind that.
 */
function limitsOf(
  routers: readonly ResolvedRouter[],
  nodes: readonly string[],
  nodesBehind: (router: string) => number,
): readonly Limit[] {
  return routers.flatMap(({ name, nat }, i) => {
    if (nat === undefined) return [];
    const inner = routers.slice(0, i).findLast((router) => router.nat !== undefined);
    const hosts =
      inner === undefined
        ? nodes.map((node) => [node, 1, 1] as const)
        : [[inner.name, nodesBehind(inner.name), nodes.length] as const];
    return hosts.flatMap(([host, users, probes]) => limitsOfHost({ name, nat }, host, users, probes));
  });
}

function limitsOfHost(
  { name, nat }: { readonly name: string; readonly nat: NatProfile },
  host: string,
  users: number,
  probes: number,
): readonly Limit[] {
  const needed = users * (nat.mapping === "endpoint-independent" ? 1 : DESTINATIONS);
  const wanted = ATTEMPTS * probes * MAPPINGS[nat.mapping];
  const held = [nat.mappingsPerHost, nat.blockSize].filter((limit) => limit !== undefined);
  const { mappingsPerSecond: rate } = nat;
  return [
    ...(held.length === 0
      ? []
      : [
          {
            key: `${name} held by ${host}`,
            free: Math.min(...held) - needed,
            wanted,
            why: (free: number) =>
              `${name} has room for ${Math.max(free, 0)} more mappings of ${host}, and probes could take up to ${wanted}`,
          },
        ]),
    ...(rate === undefined
      ? []
      : [
          {
            key: `${name} pace of ${host}`,
            free: rate - needed,
            // At once: attempts are seconds apart.
            wanted: probes * MAPPINGS[nat.mapping],
            why: () => `${name} lets ${host} make ${rate} mappings a second, and probes could take those of its nodes`,
          },
        ]),
  ];
}

/**
 * Mappings of the five sockets of a probe: the first sends to three addresses and ports, two of them at one address,
 * and the last two to the server and to the NAT's outside address.
 */
const MAPPINGS: Readonly<Record<NatDependence, number>> = {
  "endpoint-independent": 5,
  "address-dependent": 8,
  "address-and-port-dependent": 9,
};
const SOCKETS = 5;

/** Attempts with ports of their own, where silence is not believed at once. */
const ATTEMPTS = 4;

type Draws = Pick<NatProfile, "mapping" | "portAssignment">;

/** The most ports that probes draw, from so many hosts with equal inside ports, of which one can keep them. */
function mostPortsOfProbes({ mapping, portAssignment }: Draws, hosts: number): number {
  const kept = portAssignment === "preserve" ? SOCKETS : 0;
  return ATTEMPTS * (hosts * MAPPINGS[mapping] - kept);
}

/**
 * Destinations of a node in one session, by address and port: tunnel, STUN server, and candidates of its peer, some of
 * them seen anew.
 */
const DESTINATIONS = 8;

/** The most ports that so many nodes draw for a session each. */
function mostPortsOfNodes({ mapping, portAssignment }: Draws, nodes: number): number {
  if (mapping !== "endpoint-independent") return nodes * DESTINATIONS;
  return portAssignment === "preserve" ? nodes - 1 : nodes;
}
