/** Checks that packets have a way: from every mobile node to its home agent, and between the home agents of a session. */

import { hasAddress, nextHop } from "./forwarding.ts";
import type { IssuePath } from "./issue.ts";
import type { Report } from "./issue-list.ts";
import type { ResolvedHomeAgent, ResolvedMobileNode, ResolvedNode, ResolvedTopology } from "./resolved.ts";
import { reachesHomeAgent } from "./server-addresses.ts";
import type { Topology } from "./topology.ts";

/** Reports nodes that no route connects. Firewalls and address translation are not looked at. */
export function checkReachability(resolved: ResolvedTopology, topology: Topology, report: Report): void {
  for (const node of resolved.nodes) if (isMobile(node)) checkHomeAgentOf(resolved, node, report);
  resolved.sessions.forEach((session, i) => {
    const ends = [session.from, session.to].map((name) => homeAgentOf(resolved, name));
    const [from, to] = ends;
    if (from === undefined || to === undefined || from.name === to.name) return;
    const path = topology.sessions[i]?.path ?? ["sessions", i];
    for (const [a, b] of [
      [from, to],
      [to, from],
    ] as const) {
      const problem = obstacle(resolved, a, b.address, b);
      if (problem !== undefined) reportHomeAgents(a, b, problem, path, report);
    }
  });
}

function reportHomeAgents(
  a: ResolvedHomeAgent,
  b: ResolvedHomeAgent,
  problem: string,
  path: IssuePath,
  report: Report,
): void {
  const message = `expected a way over IPv6 from ${a.name} to the home prefix of ${b.name}; ${problem}; put both on one segment with \`ipv6\`, or routers between them`;
  report("unreachable", path, message);
}

function checkHomeAgentOf(resolved: ResolvedTopology, node: ResolvedMobileNode, report: Report): void {
  const homeAgent = resolved.nodes.find(({ name }) => name === node.homeAgent);
  if (homeAgent?.role !== "home-agent") return;
  if (reachesHomeAgent(resolved, node, homeAgent)) return;
  const problems = homeAgent.listen.map((address) => obstacle(resolved, node, address, homeAgent));
  const found = [...new Set(problems)].filter((problem) => problem !== undefined).join("; ");
  const message = `expected a way from ${node.name} to its home agent ${homeAgent.name}; ${found || OTHER_WIRE}; add a router whose \`lan\` is the segment of ${node.name}, mend \`gateway\`, or let the box in front of ${homeAgent.name} forward UDP 4191 and 3478 (\`forwards\`)`;
  report("unreachable", ["nodes", node.name], message, "key");
}

const OTHER_WIRE = "its address is another node's on the way";

/** Why packets from a node do not arrive at an address, or undefined when they do. */
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

function homeAgentOf(resolved: ResolvedTopology, name: string): ResolvedHomeAgent | undefined {
  const mobile = resolved.nodes.find((node) => node.name === name);
  if (mobile === undefined || !isMobile(mobile)) return undefined;
  return resolved.nodes.filter((node) => node.role === "home-agent").find((agent) => agent.name === mobile.homeAgent);
}

function isMobile(node: ResolvedNode): node is ResolvedMobileNode {
  return node.role === "mobile-node" || node.role === "correspondent-node";
}
