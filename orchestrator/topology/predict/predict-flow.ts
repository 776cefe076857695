/**
 * Predicts whether UDP hole punching finds a direct path between two hosts, whatever their programs are: with host and
 * server-reflexive addresses, and peer-reflexive ones that show on the way, whoever sends first.
 */

import { DEFAULT_AGENT_SETTINGS, fittingCandidates } from "@testbed/agent/control";
import type { ResolvedFlow, ResolvedHost, ResolvedStationaryNode, ResolvedTopology } from "../model/resolved.ts";
import { stunAddresses } from "../model/server-addresses.ts";
import { bestPair, type CheckEnd, createCheckEnd, gather, homePaths, runChecks } from "./check-model.ts";
import { closedWays, openWay } from "./checks-words.ts";
import { createNetworkModel } from "./network-model.ts";

/** `depends`: on who sends first. */
export const FLOW_POSSIBILITIES = ["possible", "impossible", "depends"] as const;

/** A flow that goes better or worse than predicted. */
export const SURPRISES = ["better", "worse"] as const;

export interface FlowPrediction {
  readonly flow: string;
  readonly direct: (typeof FLOW_POSSIBILITIES)[number];
  /** The reasoning, one sentence each. */
  readonly why: readonly string[];
}

/** The port that the model's programs use; programs of a file may use others. */
const PORT = 40_000;

/** Undefined for TCP, which is not modelled. */
export function predictFlow(topology: ResolvedTopology, flow: ResolvedFlow): FlowPrediction | undefined {
  if (flow.protocol !== "udp" || flow.isFound) return undefined;
  const [one, other] = flow.between;
  const punching = withEnds(topology, flow.between);
  const outcomes = [true, false].map((isOneFirst) => punch(punching, one, other, isOneFirst));
  const [opened] = outcomes.filter(({ isDirect }) => isDirect);
  const [closed] = outcomes.filter(({ isDirect }) => !isDirect);
  if (closed === undefined) return { flow: flow.name, direct: "possible", why: opened?.why ?? [] };
  if (opened === undefined) return { flow: flow.name, direct: "impossible", why: closed.why };
  return { flow: flow.name, direct: "depends", why: [...opened.why, "This depends on who sends first."] };
}

interface Outcome {
  readonly isDirect: boolean;
  readonly why: readonly string[];
}

function punch(topology: ResolvedTopology, one: string, other: string, isOneFirst: boolean): Outcome {
  const network = createNetworkModel(topology);
  const ends = [endOf(topology, one), endOf(topology, other)] as const;
  const [near, far] = ends.map((end) => gather(topology, end, homePaths(topology, network, end)));
  const checks: readonly [CheckEnd, CheckEnd] = [
    createCheckEnd(ends[0], near ?? [], fittingCandidates(far ?? [], [])),
    createCheckEnd(ends[1], far ?? [], fittingCandidates(near ?? [], [])),
  ];
  if (isOneFirst) runChecks(network, checks[0], checks[1]);
  else runChecks(network, checks[1], checks[0]);
  const pair = bestPair(checks[0]);
  if (pair !== undefined) return { isDirect: true, why: openWay(ends[0], ends[1], pair) };
  return { isDirect: false, why: [...closedWays(checks[0], ends[1]), ...closedWays(checks[1], ends[0])] };
}

/** The two hosts as nodes that gather and check. */
function withEnds(topology: ResolvedTopology, between: readonly string[]): ResolvedTopology {
  const nodes = topology.nodes.map((node) =>
    node.role === "host" && between.includes(node.name) ? checking(topology, node) : node,
  );
  return { ...topology, nodes };
}

function checking(topology: ResolvedTopology, host: ResolvedHost): ResolvedStationaryNode {
  const { name, interfaces, routes, halt } = host;
  const server = topology.nodes.find((node) => stunAddresses(topology, host, node).length > 0);
  return {
    ...{ name, interfaces, routes, role: "stationary-node", speaks: "m-ice", address: "", port: PORT },
    ...(halt === undefined ? {} : { halt }),
    ...(server === undefined ? {} : { stun: server.name }),
    agent: DEFAULT_AGENT_SETTINGS,
  };
}

function endOf({ nodes }: ResolvedTopology, name: string): ResolvedStationaryNode {
  const end = nodes.find((node) => node.name === name);
  if (end?.role === "stationary-node") return end;
  throw new RangeError(`${name} is no host`);
}
