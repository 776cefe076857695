/**
 * Predicts TCP hole punching (RFC 5128 section 3.4): two nodes have learned each other's addresses from a server, and each
 * connects to those of the other from the port by which it asked, where it also listens.
 *
 * A SYN that comes before its receiver has sent one meets a closed NAT. If that drops it, it is sent again and nothing is
 * lost. If it answers, by RST or ICMP (RFC 5382 REQ-4), the sender's attempt is over, and its listener cannot take over:
 * the sender's own NAT has the flow for closed, or knows it by the sequence number of the attempt (measured on Linux
 * 6.18).
 */

import { nextHop } from "../model/forwarding.ts";
import { unsolicitedSynBy } from "../model/presets.ts";
import type { ResolvedNode, ResolvedTopology } from "../model/resolved.ts";
import { createNetworkModel, type NetworkModel } from "./network-model.ts";
import { type Endpoint, endpointKey, sameEndpoint } from "./packet.ts";
import { tcpNetwork } from "./tcp-network.ts";

/** A node, and the socket by which it asks, connects and listens. */
export interface TcpEnd {
  readonly node: ResolvedNode;
  readonly socket: Endpoint;
}

export interface TcpHolePunching {
  /** `timing`: whose SYN is first decides. */
  readonly path: "direct" | "none" | "timing";
  /** The reasoning, one sentence each. */
  readonly why: readonly string[];
}

/** Who sends first; `at-once`: each has sent before the other's SYN arrives. */
const ORDERS = ["from", "to", "at-once"] as const;

/** Predicts what becomes of the attempts of two ends that have asked a server with this socket. */
export function predictTcpHolePunching(
  topology: ResolvedTopology,
  { from, to }: { readonly from: TcpEnd; readonly to: TcpEnd },
  server: TcpEnd,
): TcpHolePunching {
  const runs = ORDERS.map((order) => punch(tcpNetwork(topology), { from, to, order }, server));
  const opened = runs.filter(({ isOpen }) => isOpen);
  const [shown] = opened.length > 0 ? opened : runs;
  const why = [...new Set(shown?.why ?? [])];
  if (opened.length === ORDERS.length) return { path: "direct", why };
  if (opened.length === 0) return { path: "none", why };
  return { path: "timing", why: [...why, "This depends on whose SYN is first."] };
}

/** One end's connecting to one address of the other. */
interface Attempt {
  readonly by: TcpEnd;
  readonly at: TcpEnd;
  readonly destination: Endpoint;
}

interface Outcome {
  readonly isOpen: boolean;
  readonly why: readonly string[];
}

function punch(
  topology: ResolvedTopology,
  { from, to, order }: { readonly from: TcpEnd; readonly to: TcpEnd; readonly order: (typeof ORDERS)[number] },
  server: TcpEnd,
): Outcome {
  const network = createNetworkModel(topology);
  const [near, far] = [addressesOf(network, from, server), addressesOf(network, to, server)];
  if (near.length === 0) return { isOpen: false, why: [`${from.node.name} does not reach ${server.node.name}.`] };
  if (far.length === 0) return { isOpen: false, why: [`${to.node.name} does not reach ${server.node.name}.`] };
  const ofFrom = far.map((destination): Attempt => ({ by: from, at: to, destination }));
  const ofTo = near.map((destination): Attempt => ({ by: to, at: from, destination }));
  const round = order === "to" ? [...ofTo, ...ofFrom] : [...ofFrom, ...ofTo];
  /** Attempts that were answered by a refusal, by who made them and to where. */
  const refused = new Set<string>();
  const why: string[] = [];
  // The second round is that of SYNs that are sent again.
  for (const isFirst of [true, false])
    for (const attempt of round) {
      if (refused.has(keyOf(attempt.by, attempt.destination))) continue;
      const tried = connect(topology, network, attempt, refused);
      if (tried.isOpen) return tried;
      // SYNs that cross are refused by no NAT that they find open.
      const isCrossing = isFirst && order === "at-once";
      if (tried.isRefused && !isCrossing) refused.add(keyOf(attempt.by, attempt.destination));
      if (!isCrossing) why.push(...tried.why);
    }
  return { isOpen: false, why };
}

/** The addresses by which an end may be reached: its own, and the one that the server sees. None without the server. */
function addressesOf(network: NetworkModel, { node, socket }: TcpEnd, server: TcpEnd): readonly Endpoint[] {
  const request = network.send(node, { source: socket, destination: server.socket });
  if (!request.arrived || request.at.name !== server.node.name) return [];
  const seen = request.packet.source;
  return sameEndpoint(seen, socket) ? [socket] : [socket, seen];
}

function connect(
  topology: ResolvedTopology,
  network: NetworkModel,
  { by, at, destination }: Attempt,
  refused: ReadonlySet<string>,
): Outcome & { readonly isRefused: boolean } {
  const { name } = at.node;
  const closed = (reasons: readonly string[], isRefused = false) => ({
    isOpen: false,
    isRefused,
    why: [`${by.node.name}: its SYN to ${formatEnd(name, destination)} fails: ${reasons.join("; ")}.`],
  });
  const syn = network.send(by.node, { source: by.socket, destination });
  if (!syn.arrived) return closed(syn.remarks, answersRefused(topology, syn.refusedBy));
  if (syn.at.name !== name || !sameEndpoint(syn.packet.destination, at.socket))
    return closed([`it arrives at ${syn.at.name}, which is somebody else`]);
  if (refused.has(keyOf(at, syn.packet.source)) && remembersFlows(topology, at, syn.packet.source))
    return closed([`the NAT or firewall of ${name} has seen an attempt on that flow be refused`]);
  const answer = network.send(at.node, { source: at.socket, destination: syn.packet.source });
  if (!answer.arrived || answer.at.name !== by.node.name) return closed(answer.remarks);
  const way = syn.remarks.length === 0 ? "no middlebox lies between" : syn.remarks.join("; ");
  return {
    isOpen: true,
    isRefused: false,
    why: [`${by.node.name}: its SYN to ${formatEnd(name, destination)} arrives: ${way}.`],
  };
}

function formatEnd(name: string, { ip, port }: Endpoint): string {
  return `${name} at ${ip}:${port}`;
}

function keyOf({ node }: TcpEnd, destination: Endpoint): string {
  return `${node.name} ${endpointKey(destination)}`;
}

/** Whether a router answers a SYN that it lets in to nobody. */
function answersRefused({ nodes }: ResolvedTopology, name: string | undefined): boolean {
  const router = nodes.find((node) => node.name === name);
  if (router?.role !== "router") return false;
  return (router.tcp?.unsolicitedSyn ?? unsolicitedSynBy(router.firewall)) !== "drop";
}

/** Whether an end's own router lets in only what it takes for an answer. */
function remembersFlows(topology: ResolvedTopology, { node, socket }: TcpEnd, peer: Endpoint): boolean {
  const router = nextHop(topology, node, peer.ip, socket.ip)?.to?.node;
  return router?.role === "router" && (router.nat !== undefined || router.firewall.inbound !== "open");
}
