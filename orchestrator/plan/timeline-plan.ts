/** The timeline of a topology as steps of its plan: which node gets which command. */

import type { RuleText } from "@testbed/agent/control";
import { renderNat } from "../render/nat.ts";
import { describeAction } from "../topology/describe/describe-event.ts";
import { withoutLength } from "../topology/model/address-text.ts";
import type {
  RebootAction,
  ResolvedInterface,
  ResolvedNode,
  ResolvedRouter,
  ResolvedTopology,
  TimelineAction,
} from "../topology/model/resolved.ts";
import { edgeRoutes } from "./edge-routes.ts";
import type { ChangeCommand, TimelineStep } from "./plan.ts";

export function planTimeline(topology: ResolvedTopology): readonly TimelineStep[] {
  return topology.timeline.map(({ name, atMs, action }) => ({
    name,
    atMs,
    node: action.node,
    text: describeAction(action),
    command: commandOf(topology, action),
  }));
}

function commandOf(topology: ResolvedTopology, action: TimelineAction): ChangeCommand {
  switch (action.type) {
    case "move":
      return {
        type: "move",
        to: action.to,
        routes: [...action.routes, ...edgeRoutes(topology, nodeOf(topology, action.node), action)],
        localAddresses: localAddresses(action.interfaces),
      };
    case "deregister":
      return { type: "deregister" };
    case "link":
      return { type: "impair-link", segment: action.segment, ...action.impairments };
    case "reboot":
      return { type: "reboot", downMs: action.downMs, rules: tablesAfter(routerOf(topology, action.node), action) };
  }
}

/** Interfaces that a node needs for its moves, each once, less those that it has from the start. */
export function laterInterfaces(topology: ResolvedTopology, node: ResolvedNode): readonly ResolvedInterface[] {
  const later = topology.timeline.flatMap(({ action }) =>
    action.type === "move" && action.node === node.name ? action.interfaces : [],
  );
  const all = [...node.interfaces, ...later];
  const isFirst = ({ segment }: ResolvedInterface, i: number): boolean =>
    all.findIndex((other) => other.segment === segment) === i;
  return all.filter(isFirst).slice(node.interfaces.length);
}

/** Rules that a command loads; none for most. */
export function rulesOf(command: ChangeCommand): readonly RuleText[] {
  return command.type === "reboot" ? command.rules : [];
}

/** Best first: IPv6 before IPv4, as candidates rank (SPEC 2.2), segment by segment. */
export function localAddresses(interfaces: readonly ResolvedInterface[]): readonly string[] {
  return interfaces
    .flatMap(({ ipv4, ipv6 }) => [ipv6, ipv4])
    .filter((address) => address !== undefined)
    .map(withoutLength);
}

/** A reboot replaces the NAT table, which holds the mappings; the firewall's rules stay. */
function tablesAfter(router: ResolvedRouter, { natSeed }: RebootAction): readonly RuleText[] {
  if (router.nat === undefined || natSeed === undefined) return [];
  const text = renderNat({ ...router, nat: { ...router.nat, seed: natSeed } });
  return text === undefined ? [] : [{ tool: "nft", text }];
}

function nodeOf({ nodes }: ResolvedTopology, name: string): ResolvedNode {
  const node = nodes.find((candidate) => candidate.name === name);
  if (node !== undefined) return node;
  throw new RangeError(`there is no node ${name}`);
}

function routerOf(topology: ResolvedTopology, name: string): ResolvedRouter {
  const node = nodeOf(topology, name);
  if (node.role === "router") return node;
  throw new RangeError(`${name} is no router`);
}
