/** Resolves the timeline of a topology, and the topology after each event. */

import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { TimelineEventEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { durationMs } from "../model/duration.ts";
import type {
  ChangeAction,
  Place,
  ProcessAction,
  ResolvedEvent,
  ResolvedInterface,
  ResolvedNode,
  ResolvedRouter,
  ResolvedTopology,
  TimelineAction,
} from "../model/resolved.ts";
import type { Interfaces } from "./addressing.ts";
import { listed } from "./event-kinds.ts";
import { resolveLink } from "./links.ts";
import { resolveChange } from "./resolve-change.ts";
import { resolveReaddress } from "./resolve-readdress.ts";
import { derivedNumber } from "./seed.ts";
import { inOrder, type Occurrence } from "./timeline-order.ts";

export interface TimelineContext {
  readonly topology: Topology;
  readonly nodes: readonly ResolvedNode[];
  /** Interfaces of the whole run. */
  readonly everywhere: Interfaces;
  readonly seed: number;
  readonly report: Report;
  /** Where a node is once it has moved to these segments. */
  placeOn(node: string, segments: readonly string[]): Place;
}

/** The events in order of time. Those that `checkTimeline` reports may be missing. */
export function resolveTimeline(context: TimelineContext): readonly ResolvedEvent[] {
  let { nodes } = context;
  return inOrder(context.topology).flatMap((given): ResolvedEvent[] => {
    const actions = resolveActions({ ...context, nodes }, given);
    if (actions.length === 0) return [];
    nodes = actions.reduce(nodesAfter, nodes);
    const { name, when, atMs } = given;
    return [{ name, when, atMs, actions }];
  });
}

/** What happens to each of the nodes that an event is about. */
function resolveActions(context: TimelineContext, given: Occurrence): readonly TimelineAction[] {
  const { move, to } = given.entry;
  if (move === undefined) return [resolveAction(context, given)].filter((action) => action !== undefined);
  const segments = listed(to ?? []);
  if (segments.length === 0) return [];
  return listed(move).map((node) => ({ type: "move", node, to: segments, ...context.placeOn(node, segments) }));
}

/** `context.nodes` are those at the time of the event. */
function resolveAction(context: TimelineContext, given: Occurrence): TimelineAction | undefined {
  const { entry, path } = given;
  const { deregister, reboot, forget, readdress, change, pause, resume, kill, restart, link } = entry;
  if (link !== undefined) return resolveLinkChange(context, entry, link, path);
  if (deregister !== undefined) return { type: "deregister", node: deregister };
  if (forget !== undefined) return { type: "forget", node: forget };
  if (pause !== undefined) return { type: "pause", node: pause };
  if (resume !== undefined) return { type: "resume", node: resume };
  if (kill !== undefined) return { type: "kill", node: kill };
  if (restart !== undefined) return { type: "restart", node: restart };
  if (readdress !== undefined) return resolveReaddress(context, given, readdress);
  if (change !== undefined) return resolveChange(context, given, change);
  return reboot === undefined ? undefined : resolveReboot(context, given, reboot);
}

/** The topology after this event and all before it. */
export function topologyAfter(topology: ResolvedTopology, event: string): ResolvedTopology {
  const last = topology.timeline.findIndex(({ name }) => name === event);
  const actions = topology.timeline.slice(0, last + 1).flatMap(({ actions: own }) => own);
  // A link keeps its last impairments, also while its node is elsewhere.
  const isLink = ({ type }: TimelineAction): boolean => type === "link";
  const changed = actions.filter((action) => !isLink(action)).reduce(nodesAfter, topology.nodes);
  return { ...topology, nodes: actions.filter(isLink).reduce(nodesAfter, changed) };
}

/** The nodes after an event. */
function nodesAfter(nodes: readonly ResolvedNode[], action: TimelineAction): readonly ResolvedNode[] {
  return nodes.map((node) => (node.name === action.node ? nodeAfter(node, action) : node));
}

function nodeAfter(node: ResolvedNode, action: TimelineAction): ResolvedNode {
  switch (action.type) {
    case "move":
    case "readdress":
      return { ...node, interfaces: action.interfaces, routes: action.routes };
    case "link": {
      const { segment, impairments } = action;
      const changed = (on: ResolvedInterface) => (on.segment === segment ? { ...on, impairment: impairments } : on);
      return { ...node, interfaces: node.interfaces.map(changed) };
    }
    case "change":
      return node.role === "router" ? changedBy(node, action) : node;
    case "pause":
    case "kill":
    case "resume":
    case "restart":
      return haltedBy(node, action);
    case "deregister":
    case "reboot":
    case "forget":
      return node;
  }
}

function changedBy(router: ResolvedRouter, { nat, tcp, firewall }: ChangeAction): ResolvedRouter {
  return { ...router, ...(nat && { nat }), ...(tcp && { tcp }), ...(firewall && { firewall }) };
}

function haltedBy({ halt: _, ...running }: ResolvedNode, { type }: ProcessAction): ResolvedNode {
  switch (type) {
    case "pause":
      return { ...running, halt: "paused" };
    case "kill":
      return { ...running, halt: "killed" };
    case "resume":
    case "restart":
      return running;
  }
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

function resolveReboot(
  { nodes }: TimelineContext,
  { entry, name: event }: Occurrence,
  name: string,
): TimelineAction | undefined {
  const node = nodes.find((candidate) => candidate.name === name);
  if (node?.role !== "router" && node?.role !== "home-agent" && node?.role !== "stun-server") return undefined;
  const seed = node.role === "router" ? node.nat?.seed : undefined;
  const drawn = seed === undefined || entry.ports === "same" ? seed : derivedNumber(seed, `reboot/${event}`);
  return {
    type: "reboot",
    node: name,
    role: node.role,
    downMs: entry.down === undefined ? 0 : Math.round(durationMs(entry.down)),
    ...(drawn === undefined ? {} : { natSeed: drawn }),
  };
}
