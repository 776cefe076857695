/**
 * The model of connectivity checks: both ends check every pair in turn, answer checks that arrive, and send triggered
 * checks to unknown sources (RFC 8445 sections 7.2 and 7.3), until nothing new is learned.
 */

import {
  type CandidateType,
  DEFAULT_LIMITS,
  DSMIPV6_PORT,
  type LocalSocket,
  limitPairs,
  limitRemotes,
  reaches,
  STUN_PORT,
} from "@testbed/agent/control";
import { familyOfText, parseNetwork, withoutLength } from "../model/address-text.ts";
import { sourceAddresses } from "../model/forwarding.ts";
import { isOpenSegment } from "../model/open-segment.ts";
import type { ResolvedNode, ResolvedTopology } from "../model/resolved.ts";
import { stunAddresses } from "../model/server-addresses.ts";
import type { SessionEnd } from "../model/session-end.ts";
import type { NetworkModel } from "./network-model.ts";
import { type Endpoint, endpointKey, sameEndpoint } from "./packet.ts";

/** A candidate; `base` is the socket it belongs to. */
export interface ModelCandidate {
  readonly type: CandidateType;
  readonly address: Endpoint;
  readonly base: LocalSocket;
  readonly priority: bigint;
}

/** One end of a session while checks run. */
export interface CheckEnd {
  readonly node: SessionEnd;
  readonly candidates: readonly ModelCandidate[];
  /** The peer's candidates: signalled ones first, then those discovered. */
  readonly remotes: ModelCandidate[];
  /** Pairs that it may check, by text of base and remote address: its check list, and what the peer's checks add. */
  readonly listed: Set<string>;
  /** How many pairs its check list has no room for. */
  readonly cutPairs: number;
  /** Valid pairs by text of their ends. */
  readonly valid: Map<string, ValidPair>;
  /** Why the latest check of each pair failed, by text of base and remote address. */
  readonly remarks: Map<string, CheckRemark>;
}

export interface ValidPair {
  readonly local: ModelCandidate;
  readonly remote: ModelCandidate;
  readonly remarks: readonly string[];
}

interface CheckRemark {
  readonly remote: ModelCandidate;
  readonly remarks: readonly string[];
  /** Whether the answer was lost, not the check. */
  readonly isAnswer: boolean;
}

/** Type preferences of RFC 8445 section 5.1.2.1 with the local preferences of SPEC 2.2. */
const TYPE_PREFERENCE: Readonly<Record<CandidateType, bigint>> = {
  host: 126n,
  "peer-reflexive": 110n,
  "server-reflexive": 100n,
  relayed: 0n,
};

/** Priority of a candidate on the `rank`-th local address of its node, the best being 0. */
function candidatePriority(type: CandidateType, rank: number): bigint {
  return (TYPE_PREFERENCE[type] << 24n) + (BigInt(65535 - rank) << 8n) + 255n;
}

/** Priority of a pair; `controlling` is the candidate of the end that made the offer (RFC 8445 section 6.1.2.3). */
function pairPriority(controlling: bigint, controlled: bigint): bigint {
  const [low, high] = controlling < controlled ? [controlling, controlled] : [controlled, controlling];
  return (low << 32n) + 2n * high + (controlling > controlled ? 1n : 0n);
}

/** The source from which a node's packets arrive at its home agent or STUN server, or why they do not. */
export interface HomePath {
  readonly base: Endpoint;
  readonly mapped?: Endpoint;
  readonly remarks: readonly string[];
}

/** Registers and gathers: sends to the server's tunnel and STUN ports from every address with a route to it. */
export function homePaths(topology: ResolvedTopology, network: NetworkModel, node: SessionEnd): readonly HomePath[] {
  const isStationary = node.role === "stationary-node";
  const serverName = isStationary ? node.stun : node.homeAgent;
  const server = topology.nodes.find(({ name }) => name === serverName);
  if (server === undefined) return [];
  return stunAddresses(topology, node, server).flatMap((ip) =>
    sourceAddresses(topology, node, ip).map((own) => {
      const base = { ip: own, port: node.port };
      const at = (port: number) => ask(network, { node, base }, { node: server, socket: { ip, port } });
      const tunnel = isStationary ? undefined : at(DSMIPV6_PORT);
      const stun = at(STUN_PORT);
      const { mapped, remarks } = tunnel !== undefined && tunnel.mapped === undefined ? tunnel : stun;
      return { base, ...(mapped && { mapped }), remarks };
    }),
  );
}

/** A request to a server and its answer: the source that the server saw, if the answer arrives. */
function ask(
  network: NetworkModel,
  from: { readonly node: SessionEnd; readonly base: Endpoint },
  to: { readonly node: ResolvedNode; readonly socket: Endpoint },
): { readonly mapped?: Endpoint; readonly remarks: readonly string[] } {
  const request = network.send(from.node, { source: from.base, destination: to.socket });
  if (!request.arrived) return { remarks: request.remarks };
  if (request.at.name !== to.node.name) return { remarks: [`it arrives at ${request.at.name}, which is another node`] };
  const { source: mapped, destination: asked } = request.packet;
  const answer = network.send(to.node, { source: asked, destination: mapped });
  const isBack = answer.arrived && answer.at.name === from.node.name;
  return isBack ? { mapped, remarks: request.remarks } : { remarks: answer.remarks };
}

/** Candidates of a node, each address once: host and server-reflexive ones (host only for a lite node), home address. */
export function gather(
  topology: ResolvedTopology,
  node: SessionEnd,
  paths: readonly HomePath[],
): readonly ModelCandidate[] {
  const direct = socketsOf(topology, node).flatMap((base, rank): readonly ModelCandidate[] => {
    const host: ModelCandidate = { type: "host", address: base, base, priority: candidatePriority("host", rank) };
    const mapped = paths.find((path) => path.mapped !== undefined && sameEndpoint(path.base, base))?.mapped;
    if (node.agent.isLite === true || mapped === undefined || sameEndpoint(mapped, base)) return [host];
    const type = "server-reflexive";
    return [host, { type, address: mapped, base, priority: candidatePriority(type, rank) }];
  });
  if (node.role === "stationary-node") return direct;
  const home = { ip: node.homeAddress, port: node.port };
  return [...direct, { type: "relayed", address: home, base: home, priority: candidatePriority("relayed", 0) }];
}

/** The candidate sockets, best first, as the agent has them (SPEC 2.2). */
function socketsOf(topology: ResolvedTopology, { interfaces, routes, port }: SessionEnd): readonly LocalSocket[] {
  return interfaces.flatMap(({ segment, ipv4, ipv6, interfaceName }) =>
    [ipv6, ipv4].flatMap((address): readonly LocalSocket[] => {
      if (address === undefined) return [];
      const ip = withoutLength(address);
      const isRouted = routes.some(
        (route) => route.interfaceName === interfaceName && familyOfText(route.to) === familyOfText(ip),
      );
      const hasRouter = isRouted || isOpenSegment(topology, segment);
      return [{ ip, port, prefixLength: parseNetwork(address).length, hasRouter }];
    }),
  );
}

/** An end before its first check. */
export function createCheckEnd(
  node: SessionEnd,
  candidates: readonly ModelCandidate[],
  peer: readonly ModelCandidate[],
): CheckEnd {
  const { maxPairs, maxRemoteCandidates } = DEFAULT_LIMITS;
  const remotes = limitRemotes(peer.toSorted(bestFirst), candidates, maxRemoteCandidates);
  const all = pairUp(candidates, remotes);
  const pairs = limitPairs(all, maxPairs);
  return {
    node,
    candidates,
    remotes: remotes.filter(isDirect),
    listed: new Set(pairs.map(({ local, remote }) => pairKey(local.base, remote.address))),
    cutPairs: node.agent.isLite === true ? 0 : all.length - pairs.length,
    valid: new Map(),
    remarks: new Map(),
  };
}

interface ModelPair {
  readonly local: ModelCandidate;
  readonly remote: ModelCandidate;
  readonly priority: bigint;
}

/** The check list of SPEC 2.5, best first, without its limit. */
function pairUp(locals: readonly ModelCandidate[], remotes: readonly ModelCandidate[]): readonly ModelPair[] {
  const pairs = locals.flatMap((local) =>
    remotes
      .filter(({ address }) => familyOfText(local.base.ip) === familyOfText(address.ip))
      .filter(({ address }) => reaches(local.base, address.ip))
      .map((remote) => ({ local, remote, priority: pairPriority(local.priority, remote.priority) })),
  );
  const paths = new Map<string, ModelPair>();
  for (const pair of pairs.toSorted(bestFirst)) {
    const key = pairKey(pair.local.base, pair.remote.address);
    if (!paths.has(key)) paths.set(key, pair);
  }
  return [...paths.values()];
}

function bestFirst(a: { readonly priority: bigint }, b: { readonly priority: bigint }): number {
  return a.priority === b.priority ? 0 : a.priority > b.priority ? -1 : 1;
}

/** The home agents' path is no matter of checks here: it works if both ends register. */
function isDirect({ type }: ModelCandidate): boolean {
  return type !== "relayed";
}

function pairKey(base: Endpoint, remote: Endpoint): string {
  return `${endpointKey(base)} ${endpointKey(remote)}`;
}

/** Enough for the longest chain: an opened filter, a discovered address, the triggered check, and its answer. */
const ROUNDS = 4;

/** Both ends check in turn, beginning with `first`. */
export function runChecks(network: NetworkModel, first: CheckEnd, second: CheckEnd): void {
  for (let round = 0; round < ROUNDS; round += 1) {
    checkAll(network, first, second);
    checkAll(network, second, first);
  }
}

/** A lite end sends no checks. */
function checkAll(network: NetworkModel, from: CheckEnd, to: CheckEnd): void {
  if (from.node.agent.isLite === true) return;
  const bases = new Map(from.candidates.filter(isDirect).map(({ base }) => [endpointKey(base), base]));
  for (const base of bases.values())
    for (const remote of [...from.remotes]) if (mayCheck(from, base, remote)) check(network, from, to, base, remote);
}

/** A peer-reflexive candidate was found by a check, whose answer is a check of its own. */
function mayCheck({ listed }: CheckEnd, base: LocalSocket, { type, address }: ModelCandidate): boolean {
  if (type !== "peer-reflexive") return listed.has(pairKey(base, address));
  return familyOfText(base.ip) === familyOfText(address.ip) && reaches(base, address.ip);
}

/** One check and its answer. */
function check(network: NetworkModel, from: CheckEnd, to: CheckEnd, base: Endpoint, remote: ModelCandidate): void {
  const pair = pairKey(base, remote.address);
  const note = (remarks: readonly string[], isAnswer: boolean): void => {
    from.remarks.set(pair, { remote, remarks, isAnswer });
  };
  const request = network.send(from.node, { source: base, destination: remote.address });
  if (!request.arrived) {
    note(request.remarks, false);
    return;
  }
  const { source: seen, destination: socket } = request.packet;
  if (request.at.name !== to.node.name || !to.candidates.some((own) => sameEndpoint(own.base, socket))) {
    note([`it arrives at ${request.at.name}, which is another node`], false);
    return;
  }
  discover(to, seen, from.candidates, base);
  to.listed.add(pairKey(socket, seen));
  const answer = network.send(to.node, { source: socket, destination: seen });
  if (!answer.arrived || answer.at.name !== from.node.name) {
    note(answer.remarks, true);
    return;
  }
  if (!sameEndpoint(answer.packet.source, remote.address)) {
    note([...answer.remarks, "the answer comes from another address than was asked"], true);
    return;
  }
  from.remarks.delete(pair);
  const local = localCandidate(from, base, seen);
  from.valid.set(`${endpointKey(seen)} ${endpointKey(remote.address)}`, { local, remote, remarks: request.remarks });
}

/** The source of a check that was not signalled becomes a peer-reflexive candidate. */
function discover(end: CheckEnd, seen: Endpoint, told: readonly ModelCandidate[], base: Endpoint): void {
  if (end.remotes.some(({ address }) => sameEndpoint(address, seen))) return;
  const rank = rankOf(told, base);
  end.remotes.push({
    type: "peer-reflexive",
    address: seen,
    base: seen,
    priority: candidatePriority("peer-reflexive", rank),
  });
}

/** The candidate with the address that the peer saw: a known one, or else a peer-reflexive one. */
function localCandidate({ candidates }: CheckEnd, base: Endpoint, seen: Endpoint): ModelCandidate {
  const known = candidates.find((own) => sameEndpoint(own.address, seen));
  if (known !== undefined) return known;
  const priority = candidatePriority("peer-reflexive", rankOf(candidates, base));
  return { type: "peer-reflexive", address: seen, base, priority };
}

function rankOf(candidates: readonly ModelCandidate[], base: Endpoint): number {
  const hosts = candidates.filter(({ type }) => type === "host");
  return Math.max(
    hosts.findIndex((host) => sameEndpoint(host.base, base)),
    0,
  );
}

/** The valid pair of the highest priority. */
export function bestPair({ valid }: CheckEnd): ValidPair | undefined {
  const priority = ({ local, remote }: ValidPair): bigint => pairPriority(local.priority, remote.priority);
  return [...valid.values()].toSorted((a, b) => (priority(a) < priority(b) ? 1 : -1))[0];
}
