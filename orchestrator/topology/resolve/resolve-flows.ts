/** Resolves the flows of a topology file, and checks that their ends are hosts. */

import type { Report } from "../file/issue-list.ts";
import type { FlowEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import type { ResolvedFlow } from "../model/resolved.ts";
import { FORWARD_PROTOCOLS } from "../model/words.ts";
import { expectNode } from "./expect-name.ts";

/** Keepalives have an octet, or none (RFC 3948 section 2.3, RFC 6263 section 4.1). */
const SHORTEST_DATA_OCTETS = 2;

export function resolveFlows(topology: Topology, report: Report): readonly ResolvedFlow[] {
  if (topology.flows === "all") return allFlows(topology);
  checkFlows(topology, report);
  return topology.flows.map(({ entry }) => resolveFlow(entry));
}

function resolveFlow({ name, between, protocol, data }: FlowEntry): ResolvedFlow {
  return {
    name,
    between,
    protocol: protocol ?? "udp",
    ports: data?.ports ?? [],
    minimumOctets: data?.minimumSize ?? SHORTEST_DATA_OCTETS,
    isFound: false,
  };
}

/** A flow of each protocol between any two hosts. */
function allFlows({ nodes }: Topology): readonly ResolvedFlow[] {
  const hosts = [...nodes].flatMap(([name, { role }]) => (role === "host" ? [name] : []));
  return hosts.flatMap((one, i) =>
    hosts.slice(i + 1).flatMap((other) =>
      FORWARD_PROTOCOLS.map((protocol) => ({
        ...resolveFlow({ name: `${one}-${other}-${protocol}`, between: [one, other], protocol }),
        isFound: true,
      })),
    ),
  );
}

function checkFlows(topology: Topology, report: Report): void {
  if (topology.flows === "all") return;
  const seen = new Set<string>();
  for (const { path, entry } of topology.flows) {
    const [one, other] = entry.between;
    entry.between.forEach((end, i) => expectNode(topology, end, ["host"], [...path, "between", i], report));
    if (one === other)
      report(
        "bad-value",
        [...path, "between", 1],
        `expected another host than ${one}; found it again; a flow has two ends`,
      );
    if (seen.has(entry.name))
      report("duplicate", [...path, "name"], `expected each flow's name once; found ${entry.name} again; rename one`);
    seen.add(entry.name);
  }
}
