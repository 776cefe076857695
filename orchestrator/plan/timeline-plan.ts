/** The timeline of a topology as steps of its plan: which node gets which command. */

import type { RuleText } from "@testbed/agent/control";
import { removeTcpNat } from "../render/nat-tcp.ts";
import { renderNatTables, renderRules } from "../render/rules.ts";
import { describeActions } from "../topology/describe/describe-event.ts";
import { withoutLength } from "../topology/model/address-text.ts";
import { addressesOn } from "../topology/model/addresses-on.ts";
import type {
  ChangeAction,
  ReaddressAction,
  RebootAction,
  ResolvedInterface,
  ResolvedNode,
  ResolvedRouter,
  ResolvedTopology,
  TimelineAction,
} from "../topology/model/resolved.ts";
import { topologyAfter } from "../topology/resolve/timeline.ts";
import { edgeRoutes } from "./edge-routes.ts";
import { kernelRoutes } from "./nat64-access.ts";
import type { ChangeCommand, Deed, TimelineStep } from "./plan.ts";

export function planTimeline(topology: ResolvedTopology): readonly TimelineStep[] {
  return topology.timeline.map((event) => ({
    name: event.name,
    when: event.when,
    text: describeActions(event.actions),
    deeds: event.actions.map((action) => ({
      node: action.node,
      command: commandOf(topologyAfter(topology, event.name), action),
    })),
  }));
}

/** The commands of one node follow one another: `topology` is that after the event. */
function commandOf(topology: ResolvedTopology, action: TimelineAction): Deed["command"] {
  switch (action.type) {
    case "move":
      return {
        type: "move",
        to: action.to.map((segment) => ({ segment, addresses: addressesOn(action.interfaces, segment) })),
        routes: [...kernelRoutes(action), ...edgeRoutes(topology, nodeOf(topology, action.node), action)],
        localAddresses: localAddresses(action.interfaces),
      };
    case "deregister":
      return { type: "deregister" };
    case "link":
      return { type: "impair-link", segment: action.segment, ...action.impairments };
    case "reboot":
      if (action.role === "router")
        return { type: "reboot", downMs: action.downMs, rules: tablesAfter(routerOf(topology, action.node), action) };
      return { type: "restart", downMs: action.downMs };
    case "forget":
      return { type: "reboot", downMs: 0, rules: natTables(routerOf(topology, action.node)) };
    case "readdress":
      return planReaddress(nodeOf(topology, action.node), action);
    case "change":
      return { type: "change-rules", rules: changedRules(routerOf(topology, action.node), action) };
    case "kill":
      return { type: "kill" };
    case "restart":
      return { type: "restart", downMs: 0 };
    case "pause":
    case "resume":
      return { type: action.type };
  }
}

function planReaddress(node: ResolvedNode, { segment, interfaces, overlapMs }: ReaddressAction): ChangeCommand {
  const addresses = addressesOn(interfaces, segment);
  const command = { type: "readdress", segment, addresses, overlapMs } as const;
  return node.role === "router"
    ? { ...command, rules: natTables(node), localAddresses: [] }
    : { ...command, rules: [], localAddresses: localAddresses(interfaces) };
}

/**
 * The texts that define what has changed; mappings stay where only the policy does. The answer to an unsolicited SYN is
 * the NAT's and stands in the policy.
 */
function changedRules(router: ResolvedRouter, { nat, tcp, firewall }: ChangeAction): readonly RuleText[] {
  return [
    ...(firewall === undefined && tcp === undefined ? [] : renderRules(router).filter(({ tool }) => tool !== "nft")),
    ...(nat?.portAssignment === "overload" ? [{ tool: "nft", text: removeTcpNat(router) } as const] : []),
    ...(nat === undefined ? [] : natTables(router)),
  ];
}

/** Interfaces that a node needs for its moves, each once, less those that it has from the start. */
export function laterInterfaces(topology: ResolvedTopology, node: ResolvedNode): readonly ResolvedInterface[] {
  const later = topology.timeline
    .flatMap(({ actions }) => actions)
    .flatMap((action) => (action.type === "move" && action.node === node.name ? action.interfaces : []));
  const all = [...node.interfaces, ...later];
  const isFirst = ({ segment }: ResolvedInterface, i: number): boolean =>
    all.findIndex((other) => other.segment === segment) === i;
  return all.filter(isFirst).slice(node.interfaces.length);
}

/** Rules that a command loads; none for most. */
export function rulesOf(command: Deed["command"]): readonly RuleText[] {
  return "rules" in command ? command.rules : [];
}

/** Best first: IPv6 before IPv4, as candidates rank (SPEC 2.2), segment by segment. */
export function localAddresses(interfaces: readonly ResolvedInterface[]): readonly string[] {
  return interfaces
    .flatMap(({ ipv4, ipv6 }) => [ipv6, ipv4])
    .filter((address) => address !== undefined)
    .map(withoutLength);
}

/** A reboot replaces the NAT's tables, which hold the mappings; the firewall's rules stay. */
function tablesAfter(router: ResolvedRouter, { natSeed }: RebootAction): readonly RuleText[] {
  if (router.nat === undefined || natSeed === undefined) return [];
  return natTables({ ...router, nat: { ...router.nat, seed: natSeed } });
}

function natTables(router: ResolvedRouter): readonly RuleText[] {
  const tables = renderNatTables(router);
  return tables.length === 0 ? [] : [{ tool: "nft", text: tables.join("\n") }];
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
