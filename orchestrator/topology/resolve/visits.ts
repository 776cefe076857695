/** Attachments to the segments that mobile nodes move to during a run. */

import type { NodeEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import type { Place } from "../model/resolved.ts";
import type { Interfaces } from "./addressing.ts";
import type { Attachment } from "./attachment.ts";
import { assignRoutes } from "./routing.ts";
import { movesOf } from "./timeline-references.ts";

/** Later attachments, in order of time. They are numbered after all others, so that they shift no other address. */
export function visitsOf(topology: Topology, attachments: readonly Attachment[]): readonly Attachment[] {
  const known = new Set(attachments.map(({ node, segment }) => `${node} ${segment}`));
  return movesOf(topology).flatMap(({ node, to, path }): Attachment[] => {
    const key = `${node} ${to}`;
    if (known.has(key)) return [];
    known.add(key);
    return [{ node, segment: to, side: "on", path }];
  });
}

/** The interfaces that belong to these attachments. */
export function interfacesOf(all: Interfaces, attachments: readonly Attachment[]): Interfaces {
  const attached = new Set(attachments.map(({ node, segment }) => `${node} ${segment}`));
  return new Map(
    [...all].map(([node, own]) => [node, own.filter(({ segment }) => attached.has(`${node} ${segment}`))]),
  );
}

/** A topology before its first event, and the interfaces of the whole run. */
interface Places {
  readonly topology: Topology;
  readonly attachments: readonly Attachment[];
  readonly everywhere: Interfaces;
}

/** Where a mobile node is after a move. Its `gateway` key is for the segment it starts on. */
export function placeOn({ topology, attachments, everywhere }: Places, node: string, to: string): Place {
  const others = attachments.filter((attachment) => attachment.node !== node);
  const moved = [...others, { node, segment: to, side: "on", path: ["nodes", node, "on"] } as const];
  const interfaces = interfacesOf(everywhere, moved);
  const nodes = new Map([...topology.nodes].map(([name, entry]) => [name, name === node ? movedTo(entry, to) : entry]));
  const routes = assignRoutes({ ...topology, nodes }, moved, interfaces, () => undefined);
  return { interfaces: interfaces.get(node) ?? [], routes: routes.get(node) ?? [] };
}

function movedTo(entry: NodeEntry, to: string): NodeEntry {
  if (entry.role !== "mobile-node" && entry.role !== "correspondent-node") return entry;
  return { ...entry, on: to, gateway: undefined };
}
