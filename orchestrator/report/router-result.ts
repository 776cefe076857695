/** The routers of a run: their declared behaviour, and what probes observed. */

import type { NatProfile } from "@testbed/agent/control";
import { describeInboundDifference, type InboundVerification } from "../lab/inbound-verification.ts";
import type { LabEvent } from "../lab/lab-event.ts";
import type { LifetimeVerification } from "../lab/lifetime-verification.ts";
import { describeDifference, type NatVerification } from "../lab/nat-verification.ts";
import { PREFIX_TRANSLATION } from "../topology/model/presets.ts";
import type { ResolvedFirewall, ResolvedRouter, ResolvedTopology } from "../topology/model/resolved.ts";
import type { ProbeResult, RouterResult, WayInResult } from "./run-result.ts";

/** One result per router, in the order of the topology. */
export function routerResults(
  { nodes }: ResolvedTopology,
  events: readonly LabEvent[],
  counters: ReadonlyMap<string, Readonly<Record<string, number>>> = new Map(),
): readonly RouterResult[] {
  const verifications = events.flatMap((event) => (event.type === "nat-verification" ? [event.verification] : []));
  const inbound = events.flatMap((event) => (event.type === "inbound-verification" ? [event.verification] : []));
  const lifetimes = events.flatMap((event) => (event.type === "lifetime-verification" ? [event.verification] : []));
  return nodes.flatMap((node) => {
    if (node.role !== "router") return [];
    const notProbed = events.flatMap((event) =>
      event.type === "not-verified" && event.router === node.name ? [`${event.lan}: ${event.reason}`] : [],
    );
    const ownInbound = inbound.filter(({ router }) => router === node.name);
    const result = routerResult(node, { verifications, inbound: ownInbound, lifetimes, notProbed });
    return [{ ...result, ...droppedBy(counters.get(node.name) ?? {}) }];
  });
}

/** What a router's rules have counted (`render/nat-limits.ts`). */
function droppedBy(counters: Readonly<Record<string, number>>): Pick<RouterResult, "dropped"> {
  const own = Object.entries(counters).filter(([name]) => name.startsWith("nat."));
  return own.length === 0 ? {} : { dropped: Object.fromEntries(own.map(([name, value]) => [name.slice(4), value])) };
}

interface Seen {
  readonly verifications: readonly NatVerification[];
  /** Of this router. */
  readonly inbound: readonly InboundVerification[];
  readonly lifetimes: readonly LifetimeVerification[];
  readonly notProbed: string[];
}

function routerResult(node: ResolvedRouter, { verifications, inbound, lifetimes, notProbed }: Seen): RouterResult {
  const through = verifications.filter((verification) => verification.through.includes(node.name));
  const alone = through.find((verification) => verification.through.length === 1);
  const seen = [
    ...through,
    ...inbound,
    ...lifetimes.filter((verification) => verification.through.includes(node.name)),
  ];
  const isWrong = seen.some(({ differences }) => differences.length > 0);
  return {
    name: node.name,
    ...declaredBehaviour(node),
    ...(alone === undefined ? {} : { observed: behaviourSeen(alone.observed, sharesPorts(through)) }),
    ...(through.length + inbound.length === 0 ? {} : { agrees: !isWrong }),
    probes: verifications
      .filter(({ router }) => router === node.name)
      .toSorted((a, b) => a.lan.localeCompare(b.lan) || a.ipVersion - b.ipVersion)
      .map((verification) => probeResult(verification, lifetimes)),
    inbound: inbound.map(wayInResult),
    notProbed,
  };
}

function declaredBehaviour({ nat, prefixes, firewall }: ResolvedRouter): Pick<RouterResult, "declared"> {
  if (nat !== undefined) return { declared: natBehaviour(nat) };
  return prefixes.length === 0 ? {} : { declared: prefixBehaviour(firewall) };
}

function natBehaviour({ ports, seed, ...behaviour }: NatProfile): NonNullable<RouterResult["declared"]> {
  return behaviour;
}

/**
 * Prefix translation (1:1 NAT, NPTv6) in the terms of RFC 4787: the firewall is the filter, and its state the lifetime.
 */
function prefixBehaviour({ inbound, udpIdleSec }: ResolvedFirewall): NonNullable<RouterResult["declared"]> {
  const { ports, ...behaviour } = PREFIX_TRANSLATION;
  const filtering = inbound === "open" ? "endpoint-independent" : "address-and-port-dependent";
  return { ...behaviour, filtering, udpLifetimeSec: udpIdleSec };
}

/** Whether two hosts that sent from the same ports of one LAN kept them all. */
function sharesPorts(through: readonly NatVerification[]): boolean {
  const kept = through.filter(({ observed }) => observed.type === "nat" && observed.portPreservation);
  return kept.some((one) => kept.some(({ node, lan }) => node !== one.node && lan === one.lan));
}

/** Observations with the same name as in the declaration are copied. */
function behaviourSeen(
  observed: NatVerification["observed"],
  isShared: boolean,
): NonNullable<RouterResult["observed"]> {
  switch (observed.type) {
    case "udp-blocked":
      return {};
    case "no-nat":
      return { filtering: observed.filtering };
    case "nat": {
      const { type, mapped, furtherAddresses, portPreservation, parityPreservation, ...same } = observed;
      const parity = parityPreservation ? "preserve" : "any";
      const portAssignment = portPreservation ? (isShared ? "overload" : "preserve") : "random";
      const pooling = furtherAddresses === undefined ? "paired" : "arbitrary";
      return { ...same, portAssignment, pooling, parity };
    }
  }
}

function probeResult(verification: NatVerification, lifetimes: readonly LifetimeVerification[]): ProbeResult {
  const { lan, node, server, ipVersion, through, expected, observed, differences, attempts } = verification;
  const lifetime = lifetimes.find((own) => own.node === node && own.lan === lan && own.ipVersion === ipVersion);
  return {
    lan,
    node,
    server,
    ipVersion,
    through: [...through],
    expected: observationResult(expected),
    observed: observationResult(observed),
    differences: [...differences, ...(lifetime?.differences ?? [])].map((difference) =>
      describeDifference(verification, difference),
    ),
    attempts,
    ...(lifetime === undefined ? {} : { lifetime: { declaredSec: lifetime.declaredSec, ...lifetime.observed } }),
  };
}

function wayInResult(verification: InboundVerification): WayInResult {
  const { kind, protocol, from, destination, target, ipVersion, attempts } = verification;
  const { reachedPort, closedPort, closedReachedPort } = verification;
  return {
    kind,
    protocol,
    from: from.node,
    destination: { address: destination.ip, port: destination.port },
    target: { node: target.node, port: target.port },
    ipVersion,
    ...(reachedPort === undefined ? {} : { reachedPort }),
    ...(closedPort === undefined ? {} : { closedPort }),
    ...(closedReachedPort === undefined ? {} : { closedReachedPort }),
    differences: verification.differences.map((difference) => describeInboundDifference(verification, difference)),
    attempts,
  };
}

function observationResult(observation: NatVerification["observed"]): ProbeResult["observed"] {
  if (observation.type !== "nat") return observation;
  const { mapped, furtherAddresses: further, ...rest } = observation;
  return {
    ...rest,
    mapped: { address: mapped.ip, port: mapped.port },
    ...(further === undefined ? {} : { furtherAddresses: [...further] }),
  };
}
