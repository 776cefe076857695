/**
 * The model of a network: forwards packets through a resolved topology, hop by hop, through stateful NATs and
 * firewalls.
 */

import { familyOfText } from "../model/address-text.ts";
import { type Hop, hasAddress, nextHop } from "../model/forwarding.ts";
import { isOpenSegment } from "../model/open-segment.ts";
import type {
  RebootAction,
  ResolvedNode,
  ResolvedRouter,
  ResolvedTopology,
  TimelineAction,
} from "../model/resolved.ts";
import { byUplink } from "../model/uplink.ts";
import { createMiddleboxModel, type MiddleboxModel } from "./middlebox-model.ts";
import type { ModelPacket } from "./packet.ts";

/** Where a packet arrived, and what the routers on its way did, one remark each. */
type Delivery = { readonly remarks: readonly string[] } & (
  | { readonly arrived: true; readonly at: ResolvedNode; readonly packet: ModelPacket }
  /** `refusedBy`: the router whose NAT or firewall let it pass no further, which may answer. */
  | { readonly arrived: false; readonly refusedBy?: string }
);

export interface NetworkModel {
  /** Sends a packet from a node; its source is one of the node's addresses. */
  send(from: ResolvedNode, packet: ModelPacket): Delivery;
  /** Becomes the network after an event. NATs and firewalls keep their mappings and flows, but for one that reboots. */
  change(after: ResolvedTopology, action: TimelineAction): void;
}

/** More hops than any topology has; a loop ends here. */
const HOP_LIMIT = 32;

/** Makes a network in which nothing has been sent. */
export function createNetworkModel(initial: ResolvedTopology): NetworkModel {
  let topology = initial;
  const middleboxes = new Map<string, MiddleboxModel>();
  for (const node of topology.nodes) if (node.role === "router") middleboxes.set(node.name, createMiddleboxModel(node));
  return {
    send(from, packet) {
      const remarks: string[] = [];
      let at: Position = { node: from, packet };
      if (from.halt !== undefined) return { arrived: false, remarks: [`${from.name} is ${from.halt}`] };
      for (let hops = 0; hops < HOP_LIMIT; hops += 1) {
        if (hasAddress(at.node, at.packet.destination.ip)) {
          const { name, halt } = at.node;
          if (halt !== undefined) return { arrived: false, remarks: [...remarks, `${name} is ${halt}`] };
          return { arrived: true, at: at.node, packet: at.packet, remarks };
        }
        const step = advance(topology, middleboxes, at);
        if (step.why !== undefined) remarks.push(step.why);
        if (step.next === undefined) {
          const { refusedBy } = step;
          return { arrived: false, remarks, ...(refusedBy === undefined ? {} : { refusedBy }) };
        }
        at = step.next;
      }
      return { arrived: false, remarks: [...remarks, "it runs in a circle"] };
    },
    change(after, action) {
      topology = after;
      const router = topology.nodes.find(({ name }) => name === action.node);
      if (router?.role === "router") changeRouter(middleboxes, router, action);
    },
  };
}

/** What becomes of a router's mappings and flows with an event about it. */
function changeRouter(middleboxes: Map<string, MiddleboxModel>, router: ResolvedRouter, action: TimelineAction): void {
  switch (action.type) {
    case "reboot":
      middleboxes.set(router.name, createMiddleboxModel(rebooted(router, action)));
      return;
    case "forget":
    case "readdress":
      middleboxes.set(router.name, createMiddleboxModel(router));
      return;
    case "change":
      if (action.nat === undefined) middleboxes.get(router.name)?.enforce(router);
      else middleboxes.set(router.name, createMiddleboxModel(router));
      return;
    case "move":
    case "link":
    case "deregister":
    case "pause":
    case "resume":
    case "kill":
    case "restart":
      return;
  }
}

/** Where ports are drawn anew, they come from another part of the range. */
function rebooted(router: ResolvedRouter, { natSeed }: RebootAction): ResolvedRouter {
  const { nat } = router;
  if (nat === undefined || natSeed === undefined || nat.seed === natSeed) return router;
  const { first, last } = nat.ports;
  const pairsOfPorts = Math.max(1, Math.floor((last - first) / 2));
  return { ...router, nat: { ...nat, seed: natSeed, ports: { first: first + 2 * (natSeed % pairsOfPorts), last } } };
}

/** A packet at a node; `arrivedOn` names the interface it arrived on, absent at its sender. */
interface Position {
  readonly node: ResolvedNode;
  readonly packet: ModelPacket;
  readonly arrivedOn?: string;
}

interface Step {
  readonly next?: Position;
  readonly why?: string;
  readonly refusedBy?: string;
}

/** Forwards a packet by one hop, through the NAT and firewall of the node if it is a router. */
function advance(
  topology: ResolvedTopology,
  middleboxes: ReadonlyMap<string, MiddleboxModel>,
  { node, packet }: Position,
): Step {
  const { ip } = packet.destination;
  const hop = nextHop(topology, node, ip, packet.source.ip) ?? edgeHop(topology, node, ip);
  if (hop === undefined) return { why: `${node.name} has no route to ${ip}` };
  const broken = brokenLink(node, hop);
  if (broken !== undefined) return { why: `the link ${broken} carries nothing` };
  if (hop.keptFrom !== undefined) return { why: `${hop.out.segment} keeps ${node.name} and ${hop.keptFrom} apart` };
  if (hop.to === undefined) return { why: `nobody on ${hop.out.segment} has ${ip}` };
  const arrival: Position = { node: hop.to.node, packet, arrivedOn: hop.to.in.interfaceName };
  const middlebox = middleboxes.get(arrival.node.name);
  if (middlebox !== undefined && arrival.node.role === "router")
    return throughMiddlebox(topology, arrival.node, middlebox, arrival);
  return hasAddress(arrival.node, ip) ? { next: arrival } : { why: `${arrival.node.name} forwards nothing` };
}

/** The way of a packet without a route: a node in the open sends it to the edge of the internet, where nobody has it. */
function edgeHop(topology: ResolvedTopology, { interfaces }: ResolvedNode, ip: string): Hop | undefined {
  const version = `ipv${familyOfText(ip)}` as const;
  const out = interfaces.find((own) => own[version] !== undefined && isOpenSegment(topology, own.segment));
  return out && { out };
}

/** The link that loses everything in the direction of a packet, if any. */
function brokenLink(node: ResolvedNode, { out, to }: Hop): string | undefined {
  if ((out.impairment?.out?.lossRate ?? 0) >= 1) return `${node.name}/${out.segment}`;
  if ((to?.in.impairment?.in?.lossRate ?? 0) >= 1) return `${to?.node.name ?? ""}/${out.segment}`;
  return undefined;
}

function throughMiddlebox(
  topology: ResolvedTopology,
  router: ResolvedRouter,
  middlebox: MiddleboxModel,
  { packet, arrivedOn = "" }: Position,
): Step {
  const destination = middlebox.destinationOf(packet, arrivedOn);
  if (hasAddress(router, destination.ip)) return { why: middlebox.refusal(packet, arrivedOn), refusedBy: router.name };
  const sender = byUplink(router, middlebox.uplinkOf(packet, arrivedOn));
  const hop = nextHop(topology, sender, destination.ip) ?? edgeHop(topology, sender, destination.ip);
  if (hop === undefined) return { why: `${router.name} has no route to ${destination.ip}` };
  const passage = middlebox.pass(packet, arrivedOn, hop.out.interfaceName);
  if (!passage.passes) return { why: passage.why, refusedBy: router.name };
  const next: Position = { node: router, packet: passage.packet };
  return passage.why === undefined ? { next } : { next, why: passage.why };
}
