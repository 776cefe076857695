/**
 * Predicts which path a session of a topology must have, and why. In the model of the network (`network-model.ts`) both
 * ends register, gather and check; the valid pairs decide. Link impairments short of total loss, and lifetimes, are
 * not modelled.
 */

import { type CandidateType, DEFAULT_LIMITS, fittingCandidates, withinReach } from "@testbed/agent/control";
import type { PathName, ResolvedSession, ResolvedTopology } from "../model/resolved.ts";
import { isSessionEnd, type SessionEnd } from "../model/session-end.ts";
import {
  bestPair,
  type CheckEnd,
  createCheckEnd,
  gather,
  type HomePath,
  homePaths,
  type ModelCandidate,
  runChecks,
  type ValidPair,
} from "./check-model.ts";
import { closedWays, openWay } from "./checks-words.ts";
import { createDirectPath, type DirectPath } from "./direct-path.ts";
import { createNetworkModel, type NetworkModel } from "./network-model.ts";
import { signallingObstacle } from "./signalling.ts";

export interface Prediction {
  /** Name of the session, `from-to`. */
  readonly session: string;
  /** The event of the timeline after which it holds; absent for the session as set up. */
  readonly after?: string;
  readonly path: PathName;
  /** Types of the selected pair, seen from the session's `from`: local, remote. Absent when timing decides. */
  readonly selected?: readonly [CandidateType, CandidateType];
  /** The reasoning, one sentence each. */
  readonly why: readonly string[];
}

/** Predicts one session. Where the order of checks matters, only what both orders share is predicted. */
export function predictSession(topology: ResolvedTopology, session: ResolvedSession): Prediction {
  return setUp(topology, session).prediction;
}

/** A session as set up in the model. */
export interface ModelSession {
  readonly prediction: Prediction;
  /** Where a direct path is predicted: what carries it. */
  readonly direct?: DirectPath;
}

/** Predicts one session, as `predictSession`, and keeps what its direct path consists of. */
export function setUp(topology: ResolvedTopology, session: ResolvedSession): ModelSession {
  const from = endOf(topology, session.from);
  const to = endOf(topology, session.to);
  const [one, ...others] = ordersOf(topology, session).map((order) =>
    simulate(topology, { session, from, to, ...order }),
  );
  if (one === undefined) throw new RangeError("no simulation was run");
  const { path, selected, why } = one.prediction;
  if (others.some((other) => path !== other.prediction.path)) {
    const unclear = [...why, "This depends on who checks first."];
    return { prediction: { session: session.name, path: "home-agents", why: unclear } };
  }
  const isCertain = others.every((other) => selected?.join() === other.prediction.selected?.join());
  if (isCertain) return one;
  const unclear = [...why, "Which pair wins depends on who checks first."];
  return { ...one, prediction: { session: session.name, path, why: unclear } };
}

/** Why data between two ends finds no way through the home agents; undefined where it does. */
export function homePathObstacle(topology: ResolvedTopology, session: ResolvedSession): string | undefined {
  const network = createNetworkModel(topology);
  for (const node of [endOf(topology, session.from), endOf(topology, session.to)]) {
    const why = unregistered(node, homePaths(topology, network, node));
    if (why !== undefined) return why;
  }
  return undefined;
}

/** Who sends first. */
interface Order {
  readonly fromStarts: boolean;
  /** Sessions that are set up before this one. */
  readonly before: readonly ResolvedSession[];
}

interface Simulation extends Order {
  readonly session: ResolvedSession;
  readonly from: SessionEnd;
  readonly to: SessionEnd;
}

/** Sessions that matter to each other: with `portAssignment: overload` a host's port depends on others' flows. */
function ordersOf({ nodes, sessions }: ResolvedTopology, session: ResolvedSession): readonly Order[] {
  const isShared = nodes.some((node) => node.role === "router" && node.nat?.portAssignment === "overload");
  const others = sessions.filter(({ name }) => name !== session.name);
  const befores = isShared && others.length > 0 ? [[], others] : [[]];
  return befores.flatMap((before) => [true, false].map((fromStarts) => ({ fromStarts, before })));
}

/** Sends what other sessions send: registrations and checks. */
function sendOthers(topology: ResolvedTopology, network: NetworkModel, sessions: readonly ResolvedSession[]): void {
  const others = sessions.map((session) => {
    const [from, to] = [endOf(topology, session.from), endOf(topology, session.to)];
    const gathered = (node: SessionEnd) => gather(topology, node, homePaths(topology, network, node));
    return { from, to, candidates: exchange(from, to, gathered) };
  });
  for (const { from, to, candidates } of others)
    runChecks(
      network,
      createCheckEnd(from, candidates.from, fittingCandidates(candidates.to, [])),
      createCheckEnd(to, candidates.to, fittingCandidates(candidates.from, [])),
    );
}

function simulate(topology: ResolvedTopology, { session, from, to, fromStarts, before }: Simulation): ModelSession {
  const withoutPair = (prediction: Omit<Prediction, "session">): ModelSession => ({
    prediction: { session: session.name, ...prediction },
  });
  const network = createNetworkModel(topology);
  sendOthers(topology, network, before);
  const paths = new Map([from, to].map((node) => [node, homePaths(topology, network, node)]));
  for (const node of [from, to]) {
    const why = unregistered(node, paths.get(node) ?? []);
    if (why !== undefined) return withoutPair({ path: "none", why: [why] });
  }
  const unheard = unsignalled(topology, from, to);
  if (unheard !== undefined) return withoutPair({ path: "none", why: [unheard] });
  const disagreement = disagreementOf(from, to);
  if (disagreement !== undefined)
    return withoutPair({ path: "home-agents", why: [`${disagreement}: the home agents carry the data.`] });
  const candidates = exchange(from, to, (node) => gather(topology, node, paths.get(node) ?? []));
  const ends = {
    from: createCheckEnd(from, candidates.from, fittingCandidates(candidates.to, [])),
    to: createCheckEnd(to, candidates.to, fittingCandidates(candidates.from, [])),
  };
  runChecks(network, ...(fromStarts ? ([ends.from, ends.to] as const) : ([ends.to, ends.from] as const)));
  const [checking, checked] = isLite(from) ? [ends.to, ends.from] : [ends.from, ends.to];
  const pair = bestPair(checking);
  if (pair === undefined) {
    const why = [
      ...unchecked(ends.from),
      ...unchecked(ends.to),
      ...closedWays(ends.from, to),
      ...closedWays(ends.to, from),
      "No direct pair: the home agents carry the data.",
    ];
    return withoutPair({ path: "home-agents", selected: [relayedType(from), relayedType(to)], why });
  }
  const { local, remote } = isLite(from) ? mirrored(pair) : pair;
  return {
    prediction: {
      session: session.name,
      path: "direct",
      selected: [local.type, remote.type],
      why: openWay(checking.node, checked.node, pair),
    },
    direct: createDirectPath(network, { node: checking.node, pair }, checked.node),
  };
}

/** Candidates of both ends: the answer leaves out what the offer shows to be of no use. */
function exchange(
  from: SessionEnd,
  to: SessionEnd,
  gatherOf: (node: SessionEnd) => readonly ModelCandidate[],
): { readonly from: readonly ModelCandidate[]; readonly to: readonly ModelCandidate[] } {
  const [near, far] = [gatherOf(from), gatherOf(to)];
  // A stationary node asks for an offer.
  return from.role === "stationary-node"
    ? { from: withinReach(near, far), to: far }
    : { from: near, to: withinReach(far, near) };
}

/** What an end leaves out of its check list. */
function unchecked({ node, cutPairs }: CheckEnd): readonly string[] {
  return cutPairs === 0 ? [] : [`${node.name} checks ${DEFAULT_LIMITS.maxPairs} pairs and leaves ${cutPairs} out.`];
}

function endOf({ nodes }: ResolvedTopology, name: string): SessionEnd {
  const node = nodes.find((candidate) => candidate.name === name);
  if (node !== undefined && isSessionEnd(node)) return node;
  throw new RangeError(`${name} is neither mobile, correspondent nor stationary node`);
}

/** Candidate type of an end on the home-agent path. */
function relayedType({ role }: SessionEnd): CandidateType {
  return role === "stationary-node" ? "host" : "relayed";
}

/** A stationary node that makes the offer opens its firewall for the answer. */
function unsignalled(topology: ResolvedTopology, from: SessionEnd, to: SessionEnd): string | undefined {
  if (from.role === "stationary-node" || to.role !== "stationary-node") return undefined;
  const middlebox = signallingObstacle(topology, from, to);
  return (
    middlebox &&
    `none: ${middlebox} drops Mobility Headers that ${to.name} has not asked for, and there is no other signalling.`
  );
}

function unregistered(node: SessionEnd, paths: readonly HomePath[]): string | undefined {
  if (node.role === "stationary-node") return undefined;
  if (paths.some(({ mapped }) => mapped !== undefined)) return undefined;
  const remarks = [...new Set(paths.flatMap((path) => path.remarks.slice(-1)))];
  return `none: ${node.name} cannot register with ${node.homeAgent}: ${remarks.join("; ")}.`;
}

/** Why two ends whose signalling arrives send no checks. */
function disagreementOf(from: SessionEnd, to: SessionEnd): string | undefined {
  const plain = [from, to].find((node) => node.role === "stationary-node" && node.speaks !== "m-ice");
  if (plain !== undefined) return `${plain.name} knows no M-ICE and refuses the offer`;
  if (from.agent.keys !== to.agent.keys)
    return `${from.name} and ${to.name} make the keys of their checks in different ways (${from.agent.keys}, ${to.agent.keys})`;
  return isLite(from) && isLite(to) ? `${from.name} and ${to.name} are both lite, and nobody checks` : undefined;
}

function isLite({ agent }: SessionEnd): boolean {
  return agent.isLite === true;
}

/** A pair as the other end sees it, for a lite end, which has no pairs. */
function mirrored({ local, remote, remarks }: ValidPair): ValidPair {
  return { local: remote, remote: local, remarks };
}
