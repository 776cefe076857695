/** The boxes of a run: what they are declared to be, and what probes saw of them. */

import { type BoxProof, describeDifference } from "../lab/box-proof.ts";
import { describeInboundDifference, type InboundProof } from "../lab/inbound-proof.ts";
import type { LabEvent } from "../lab/lab-event.ts";
import type { LifetimeProof } from "../lab/lifetime-proof.ts";
import type { NatProfile } from "../topology/model/nat-profile.ts";
import type { ResolvedFirewall, ResolvedRouter, ResolvedTopology } from "../topology/model/resolved.ts";
import type { ProbeResult, RouterResult, WayInResult } from "./run-result.ts";

/** One result for each router, in the order of the topology. */
export function routerResults({ nodes }: ResolvedTopology, events: readonly LabEvent[]): readonly RouterResult[] {
  const proofs = events.flatMap((event) => (event.type === "box-proof" ? [event.proof] : []));
  const waysIn = events.flatMap((event) => (event.type === "box-inbound-proof" ? [event.proof] : []));
  const lifetimes = events.flatMap((event) => (event.type === "box-lifetime" ? [event.proof] : []));
  return nodes.flatMap((node) => {
    if (node.role !== "router") return [];
    const notProbed = events.flatMap((event) =>
      event.type === "box-not-probed" && event.router === node.name ? [`${event.lan}: ${event.reason}`] : [],
    );
    const ownWaysIn = waysIn.filter(({ router }) => router === node.name);
    return [routerResult(node, { proofs, waysIn: ownWaysIn, lifetimes, notProbed })];
  });
}

interface Seen {
  readonly proofs: readonly BoxProof[];
  /** Of this router. */
  readonly waysIn: readonly InboundProof[];
  readonly lifetimes: readonly LifetimeProof[];
  readonly notProbed: string[];
}

function routerResult(node: ResolvedRouter, { proofs, waysIn, lifetimes, notProbed }: Seen): RouterResult {
  const through = proofs.filter((proof) => proof.through.includes(node.name));
  const alone = through.find((proof) => proof.through.length === 1);
  const seen = [...through, ...waysIn, ...lifetimes.filter((proof) => proof.through.includes(node.name))];
  const isWrong = seen.some(({ differences }) => differences.length > 0);
  return {
    name: node.name,
    ...declaredBehaviour(node),
    ...(alone === undefined ? {} : { observed: behaviourSeen(alone.observed) }),
    ...(through.length + waysIn.length === 0 ? {} : { agrees: !isWrong }),
    probes: proofs
      .filter(({ router }) => router === node.name)
      .toSorted((a, b) => a.lan.localeCompare(b.lan) || a.ipVersion - b.ipVersion)
      .map((proof) => probeResult(proof, lifetimes)),
    waysIn: waysIn.map(wayInResult),
    notProbed,
  };
}

function declaredBehaviour({ nat, prefixes, firewall }: ResolvedRouter): Pick<RouterResult, "declared"> {
  if (nat !== undefined) return { declared: natBehaviour(nat) };
  return prefixes.length === 0 ? {} : { declared: prefixBehaviour(firewall) };
}

function natBehaviour(nat: NatProfile): NonNullable<RouterResult["declared"]> {
  const { mapping, filtering, portAssignment, parity, hairpinning, udpLifetimeSec, inboundRefresh } = nat;
  return { mapping, filtering, portAssignment, parity, hairpinning, udpLifetimeSec, inboundRefresh };
}

/** Networks that stand for each other in the terms of RFC 4787: the firewall is the filter, and its state the lifetime. */
function prefixBehaviour({ inbound, udpIdleSec }: ResolvedFirewall): NonNullable<RouterResult["declared"]> {
  return {
    mapping: "endpoint-independent",
    filtering: inbound === "open" ? "endpoint-independent" : "address-and-port-dependent",
    portAssignment: "preserve",
    parity: "preserve",
    hairpinning: true,
    udpLifetimeSec: udpIdleSec,
    inboundRefresh: true,
  };
}

function behaviourSeen(observed: BoxProof["observed"]): NonNullable<RouterResult["observed"]> {
  switch (observed.type) {
    case "udp-blocked":
      return {};
    case "no-nat":
      return { filtering: observed.filtering };
    case "nat": {
      const { mapping, filtering, hairpinning, portPreservation, parityPreservation } = observed;
      const parity = parityPreservation ? "preserve" : "any";
      const portAssignment = portPreservation ? "preserve" : "random";
      return { ...(mapping === undefined ? {} : { mapping }), filtering, hairpinning, portAssignment, parity };
    }
  }
}

function probeResult(proof: BoxProof, lifetimes: readonly LifetimeProof[]): ProbeResult {
  const { lan, node, server, ipVersion, through, expected, observed, differences, attempts } = proof;
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
      describeDifference(proof, difference),
    ),
    attempts,
    ...(lifetime === undefined ? {} : { lifetime: { declaredSec: lifetime.declaredSec, ...lifetime.observed } }),
  };
}

function wayInResult(proof: InboundProof): WayInResult {
  const { kind, from, destination, target, ipVersion, reachedPort, closedPort, closedReachedPort, attempts } = proof;
  return {
    kind,
    from: from.node,
    destination: { address: destination.ip, port: destination.port },
    target: { node: target.node, port: target.port },
    ipVersion,
    ...(reachedPort === undefined ? {} : { reachedPort }),
    ...(closedPort === undefined ? {} : { closedPort }),
    ...(closedReachedPort === undefined ? {} : { closedReachedPort }),
    differences: proof.differences.map((difference) => describeInboundDifference(proof, difference)),
    attempts,
  };
}

function observationResult(observation: BoxProof["observed"]): ProbeResult["observed"] {
  if (observation.type !== "nat") return observation;
  const { mapped, ...rest } = observation;
  return { ...rest, mapped: { address: mapped.ip, port: mapped.port } };
}
