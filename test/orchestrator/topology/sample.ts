/** Topology texts for tests, and their resolved form. */

import { formatIssue } from "../../../orchestrator/topology/file/issue.ts";
import type { ResolvedNode, ResolvedRouter, ResolvedTopology } from "../../../orchestrator/topology/model/resolved.ts";
import { loadTopology } from "../../../orchestrator/topology/resolve/load.ts";

/** Every problem of a text, formatted as for users, with `t.yaml` as the file. */
export function issuesOf(text: string): readonly string[] {
  const loaded = loadTopology(text, "t.yaml");
  return loaded.ok ? [] : loaded.issues.map(formatIssue);
}

/** The topology of a valid text. */
export function resolved(text: string, seed?: number): ResolvedTopology {
  const loaded = loadTopology(text, "t.yaml", seed === undefined ? {} : { seed });
  if (!loaded.ok) throw new Error(loaded.issues.map(formatIssue).join("\n"));
  return loaded.topology;
}

export function nodeOf(topology: ResolvedTopology, name: string): ResolvedNode {
  const node = topology.nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw new Error(`no node ${name}`);
  return node;
}

export function routerOf(topology: ResolvedTopology, name: string): ResolvedRouter {
  const node = nodeOf(topology, name);
  if (node.role !== "router") throw new Error(`${name} is no router`);
  return node;
}

/** A topology with the given blocks; each is the inside of a flow mapping, `segments` follows the internet. */
export function topologyText(blocks: {
  readonly segments?: string;
  readonly nodes?: string;
  readonly rest?: string;
}): string {
  return `name: t
summary: For a test
segments: { internet: { ipv4: 198.18.0.0/24, ipv6: "2001:db8:0:1::/64" }, ${blocks.segments ?? ""} }
nodes: { ${blocks.nodes ?? ""} }
${blocks.rest ?? ""}
`;
}

export const HOME_AGENTS =
  'ha-a: { role: home-agent, on: internet, homePrefix: "2001:db8:a::/64" }, ha-b: { role: home-agent, on: internet, homePrefix: "2001:db8:b::/64" }';

/** Two homes with equal networks behind NATs of these behaviours, MN and CN inside. */
export function twoHomes(natA: string, natB: string): string {
  return topologyText({
    segments: "home-a: { ipv4: 192.168.1.0/24 }, home-b: { ipv4: 192.168.1.0/24 }",
    nodes: `${HOME_AGENTS},
      nat-a: { role: router, wan: internet, lan: home-a, ${natA} },
      nat-b: { role: router, wan: internet, lan: home-b, ${natB} },
      mn: { role: mobile-node, on: home-a, homeAgent: ha-a },
      cn: { role: correspondent-node, on: home-b, homeAgent: ha-b }`,
    rest: "sessions: [{ from: mn, to: cn }]",
  });
}
