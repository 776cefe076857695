/** Checks that routes exist from every mobile node to its home agent, and between the anchors of a session. */

import { DSMIPV6_PORT, STUN_PORT } from "@testbed/agent/control";
import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { Topology } from "../file/topology.ts";
import { hasAddress, nextHop } from "../model/forwarding.ts";
import type {
  ResolvedHomeAgent,
  ResolvedMobileNode,
  ResolvedNode,
  ResolvedStationaryNode,
  ResolvedTopology,
} from "../model/resolved.ts";
import { reachesHomeAgent } from "../model/server-addresses.ts";
import { isMobile } from "../model/session-end.ts";

/** Reports nodes that no route connects. Firewalls and NATs are not considered. */
export function checkReachability(resolved: ResolvedTopology, topology: Topology, report: Report): void {
  for (const node of resolved.nodes) if (isMobile(node)) checkHomeAgentOf(resolved, node, report);
  resolved.sessions.forEach((session, i) => {
    const ends = [session.from, session.to].map((name) => anchorOf(resolved, name));
    const [from, to] = ends;
    if (from === undefined || to === undefined || from.name === to.name) return;
    const path = topology.sessions[i]?.path ?? ["sessions", i];
    for (const [a, b] of [
      [from, to],
      [to, from],
    ] as const) {
      const problem = obstacle(resolved, a, b.address, b);
      if (problem !== undefined) reportAnchors(a, b, problem, path, report);
    }
  });
}

/** The same for the way of one mobile node to its home agent. */
export function checkReachabilityOf(resolved: ResolvedTopology, name: string, report: Report): void {
  const node = resolved.nodes.find((candidate) => candidate.name === name);
  if (node !== undefined && isMobile(node)) checkHomeAgentOf(resolved, node, report);
}

/** Where a session's packets leave the tunnel as plain IPv6: the home agent, or the stationary node itself. */
type Anchor = ResolvedHomeAgent | ResolvedStationaryNode;

function reportAnchors(a: Anchor, b: Anchor, problem: string, path: IssuePath, report: Report): void {
  const target = b.role === "home-agent" ? `the home prefix of ${b.name}` : b.name;
  const message = `expected a way over IPv6 from ${a.name} to ${target}; ${problem}; put both on one segment with \`ipv6\`, or routers between them`;
  report("unreachable", path, message);
}

function checkHomeAgentOf(resolved: ResolvedTopology, node: ResolvedMobileNode, report: Report): void {
  const homeAgent = resolved.nodes.find(({ name }) => name === node.homeAgent);
  if (homeAgent?.role !== "home-agent") return;
  if (reachesHomeAgent(resolved, node, homeAgent)) return;
  const problems = homeAgent.listen.map((address) => obstacle(resolved, node, address, homeAgent));
  const found = [...new Set(problems)].filter((problem) => problem !== undefined).join("; ");
  const message = `expected a way from ${node.name} to its home agent ${homeAgent.name}; ${found || OTHER_SEGMENT}; add a router whose \`lan\` is the segment of ${node.name}, mend \`gateway\`, or let the middlebox in front of ${homeAgent.name} forward UDP ${DSMIPV6_PORT} and ${STUN_PORT} (\`forwards\`)`;
  report("unreachable", ["nodes", node.name], message, "key");
}

const OTHER_SEGMENT = "its address is another node's on the way";

/** Why packets from a node do not arrive at an address, or undefined if they do. */
function obstacle(
  resolved: ResolvedTopology,
  from: ResolvedNode,
  destination: string,
  target: ResolvedNode,
): string | undefined {
  let at = from;
  const passed = new Set<string>();
  while (at.name !== target.name && !hasAddress(at, destination)) {
    if (passed.has(at.name)) return `packets to ${destination} run in a circle at ${at.name}`;
    if (at.name !== from.name && at.role !== "router") return `${at.name} is no router and forwards nothing`;
    passed.add(at.name);
    const hop = nextHop(resolved, at, destination);
    if (hop === undefined) return `${at.name} has no route to ${destination}`;
    if (hop.to === undefined)
      return `${at.name} sends packets to ${destination} into ${hop.out.segment}, where nobody takes them`;
    at = hop.to.node;
  }
  return undefined;
}

function anchorOf(resolved: ResolvedTopology, name: string): Anchor | undefined {
  const end = resolved.nodes.find((node) => node.name === name);
  if (end?.role === "stationary-node") return end;
  if (end === undefined || !isMobile(end)) return undefined;
  return resolved.nodes.filter((node) => node.role === "home-agent").find((agent) => agent.name === end.homeAgent);
}
