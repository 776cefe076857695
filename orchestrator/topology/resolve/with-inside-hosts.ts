/** The last step of resolving: which hosts each NAT translates, and whether it has a block of ports for each. */

import type { Report } from "../file/issue-list.ts";
import type { Topology } from "../file/topology.ts";
import { insideHosts } from "../model/inside-hosts.ts";
import type { ResolvedRouter, ResolvedTopology } from "../model/resolved.ts";
import { poolPath } from "./nat-pools.ts";

/** The rules of a NAT name every port of its blocks. */
const MOST_BLOCK_PORTS = 8192;

export function withInsideHosts(resolved: ResolvedTopology, topology: Topology, report: Report): ResolvedTopology {
  const nodes = resolved.nodes.map((node) => {
    if (node.role !== "router" || node.nat === undefined) return node;
    const router = { ...node, insideHosts: insideHosts(resolved, node) };
    checkBlocks(router, topology, report);
    return router;
  });
  return { ...resolved, nodes };
}

function checkBlocks({ name, nat, insideHosts: { length } }: ResolvedRouter, topology: Topology, report: Report): void {
  const entry = topology.nodes.get(name);
  if (nat?.blockSize === undefined || entry === undefined) return;
  const { first, last } = nat.ports;
  const wanted = length * nat.blockSize;
  const room = Math.min(last - first + 1, MOST_BLOCK_PORTS);
  if (wanted <= room) return;
  const message = `expected a block for each of ${length} inside hosts within the ${room} ports that there are for blocks; found ${nat.blockSize}, which takes ${wanted}; take smaller blocks, or more \`ports\``;
  report("bad-value", [...poolPath(name, entry).slice(0, -1), "blockSize"], message);
}
