/** Resolves the timeline of a topology, and the topology after each event. */

import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { TimelineEventEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { durationMs } from "../model/duration.ts";
import type {
  Place,
  ResolvedEvent,
  ResolvedInterface,
  ResolvedNode,
  ResolvedTopology,
  TimelineAction,
} from "../model/resolved.ts";
import { resolveLink } from "./links.ts";
import { derivedNumber } from "./seed.ts";
import { eventName } from "./timeline-references.ts";

export interface TimelineContext {
  readonly topology: Topology;
  readonly nodes: readonly ResolvedNode[];
  readonly report: Report;
  /** Where a mobile node is once it has moved to a segment. */
  placeOn(node: string, segment: string): Place;
}

/** The events in order of time. Those that `checkTimeline` reports may be missing. */
export function resolveTimeline(context: TimelineContext): readonly ResolvedEvent[] {
  return context.topology.timeline
    .flatMap(({ entry, path }): ResolvedEvent[] => {
      const action = resolveAction(context, { entry, path });
      return action === undefined ? [] : [{ name: eventName(entry), atMs: durationMs(entry.at), action }];
    })
    .toSorted((a, b) => a.atMs - b.atMs);
}

function resolveAction(
  context: TimelineContext,
  { entry, path }: Topology["timeline"][number],
): TimelineAction | undefined {
  const { move, to, deregister, reboot, link } = entry;
  if (link !== undefined) return resolveLinkChange(context, entry, link, path);
  if (deregister !== undefined) return { type: "deregister", node: deregister };
  if (move !== undefined && to !== undefined) return { type: "move", node: move, to, ...context.placeOn(move, to) };
  return reboot === undefined ? undefined : resolveReboot(context, entry, reboot);
}

/** The topology after this event and all before it. */
export function topologyAfter(topology: ResolvedTopology, event: string): ResolvedTopology {
  const last = topology.timeline.findIndex(({ name }) => name === event);
  const actions = topology.timeline.slice(0, last + 1).map(({ action }) => action);
  // A link keeps its last impairments, also while its node is elsewhere.
  const moved = actions.reduce(nodesMoved, topology.nodes);
  return { ...topology, nodes: actions.reduce(linksChanged, moved) };
}

function nodesMoved(nodes: readonly ResolvedNode[], action: TimelineAction): readonly ResolvedNode[] {
  if (action.type !== "move") return nodes;
  const { node, interfaces, routes } = action;
  return nodes.map((candidate) => (candidate.name === node ? { ...candidate, interfaces, routes } : candidate));
}

function linksChanged(nodes: readonly ResolvedNode[], action: TimelineAction): readonly ResolvedNode[] {
  if (action.type !== "link") return nodes;
  const { node, segment, impairments } = action;
  return nodes.map((candidate) => {
    if (candidate.name !== node) return candidate;
    const changed = (on: ResolvedInterface) => (on.segment === segment ? { ...on, impairment: impairments } : on);
    return { ...candidate, interfaces: candidate.interfaces.map(changed) };
  });
}

/** Both directions are set, to no impairment where the file has none. */
function resolveLinkChange(
  { report }: TimelineContext,
  { conditions: impairments = {} }: TimelineEventEntry,
  link: string,
  path: IssuePath,
): TimelineAction | undefined {
  const [node, segment] = link.split("/");
  if (node === undefined || segment === undefined) return undefined;
  const { out = {}, in: inbound = {} } = resolveLink(impairments, [...path, "conditions"], report);
  return { type: "link", node, segment, impairments: { out, in: inbound } };
}

function resolveReboot({ nodes }: TimelineContext, entry: TimelineEventEntry, name: string): TimelineAction {
  const node = nodes.find((candidate) => candidate.name === name);
  const seed = node?.role === "router" ? node.nat?.seed : undefined;
  const drawn = seed === undefined || entry.ports === "same" ? seed : derivedNumber(seed, `reboot/${eventName(entry)}`);
  return {
    type: "reboot",
    node: name,
    downMs: entry.down === undefined ? 0 : Math.round(durationMs(entry.down)),
    ...(drawn === undefined ? {} : { natSeed: drawn }),
  };
}
