/** Attachments to the segments that nodes move to during a run. */

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
  const visits = movesOf(topology).flatMap(({ node, to, path }) =>
    to.map((segment): Attachment => ({ node, segment, side: "on", path })),
  );
  return visits.filter(({ node, segment }) => {
    const key = `${node} ${segment}`;
    if (known.has(key)) return false;
    known.add(key);
    return true;
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

/** Where a node is after a move. Its `gateway` key is for the segments it starts on. */
export function placeOn({ topology, attachments, everywhere }: Places, node: string, to: readonly string[]): Place {
  const others = attachments.filter((attachment) => attachment.node !== node);
  const own = to.map((segment) => ({ node, segment, side: "on", path: ["nodes", node, "on"] }) as const);
  const moved = [...others, ...own];
  const interfaces = preferring(interfacesOf(everywhere, moved), node, to);
  const nodes = new Map([...topology.nodes].map(([name, entry]) => [name, name === node ? movedTo(entry, to) : entry]));
  const routes = assignRoutes({ ...topology, nodes }, moved, interfaces, () => undefined);
  return { interfaces: interfaces.get(node) ?? [], routes: routes.get(node) ?? [] };
}

/** The interfaces of a node in the order of its segments, which says which one it prefers. */
function preferring(all: Interfaces, node: string, segments: readonly string[]): Interfaces {
  const place = ({ segment }: { readonly segment: string }): number => segments.indexOf(segment);
  const own = (all.get(node) ?? []).toSorted((a, b) => place(a) - place(b));
  return new Map([...all, [node, own]]);
}

function movedTo(entry: NodeEntry, to: readonly string[]): NodeEntry {
  const [first = ""] = to;
  const on = to.length === 1 ? first : [...to];
  switch (entry.role) {
    case "mobile-node":
    case "correspondent-node":
    case "host":
      return { ...entry, on, gateway: undefined };
    default:
      return entry;
  }
}
