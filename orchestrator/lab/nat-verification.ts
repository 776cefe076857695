/** Compares what the middleboxes of a topology are declared to be with what probes saw of them. */

import type { NatObservation } from "@testbed/agent/control";
import type { VerificationProbe } from "../plan/probe-plan.ts";
import { formatEndpoint } from "../topology/model/address-text.ts";

/** What a probe saw of the middleboxes in front of a LAN, beside what it had to see. */
export interface NatVerification {
  /** The middlebox whose LAN the probe came from, and every middlebox it went through, inmost first. */
  readonly router: string;
  readonly lan: string;
  readonly through: readonly string[];
  readonly node: string;
  readonly server: string;
  readonly ipVersion: 4 | 6;
  readonly expected: NatObservation;
  readonly observed: NatObservation;
  readonly differences: readonly Difference[];
  /** How often the node asked until silence could be believed. */
  readonly attempts: number;
}

/** One thing in which a middlebox is not what it is declared to be. */
export interface Difference {
  /** Such as `mapping endpoint-independent`. */
  readonly declared: string;
  /** Such as `address-and-port-dependent`. */
  readonly observed: string;
  /** Whether packets that were lost or late would explain it. */
  readonly isSilence: boolean;
}

/** A probe and what it saw. */
export interface Observed {
  readonly probe: VerificationProbe;
  readonly observed: NatObservation;
}

/** In what one probe saw something else than it had to; empty when the middleboxes are what they are declared to be. */
export function differencesOf({ probe, observed }: Observed): readonly Difference[] {
  const { expected } = probe;
  if (expected.type !== observed.type) return [differenceOfKind(expected, observed)];
  if (observed.type === "udp-blocked" || expected.type === "udp-blocked") return [];
  const filtering = differenceOfFilters(expected.filtering, observed.filtering);
  if (observed.type === "no-nat" || expected.type === "no-nat") return filtering;
  return [
    ...differenceOfMappings(expected, observed),
    ...filtering,
    ...differenceOfHairpinning(expected, observed),
    ...differenceOfOutside(probe, expected, observed),
  ];
}

/**
 * In what probes from one LAN and the same ports contradict each other: every inside host needs an outside port of its
 * own, and where ports are kept one of them keeps its own.
 */
export function differencesOfRivals(rivals: readonly Observed[]): readonly Difference[] {
  const seen = rivals.flatMap(({ observed, probe }) => (observed.type === "nat" ? [{ observed, probe }] : []));
  const [one, other] = seen;
  if (one === undefined || other === undefined) return [];
  const [a, b] = [one.observed.mapped, other.observed.mapped];
  const names = `${one.probe.node} and ${other.probe.node}`;
  if (a.ip === b.ip && a.port === b.port) {
    const observed = `${formatEndpoint(a)} for both ${names}`;
    return [{ declared: "an outside port for each inside host", observed, isSilence: false }];
  }
  const isKept = ({ probe }: Observed): boolean => probe.expected.type === "nat" && probe.expected.portPreservation;
  if (!isKept(one) || seen.some(({ observed }) => observed.portPreservation)) return [];
  const observed = `others for both ${names}`;
  return [{ declared: "ports kept where they are free", observed, isSilence: false }];
}

/** `middlebox nat-a declared mapping endpoint-independent, observed address-and-port-dependent` */
export function describeDifference(
  { through }: Pick<NatVerification, "through">,
  { declared, observed }: Difference,
): string {
  const [only, ...others] = through;
  const who =
    others.length === 0 ? `router ${only ?? ""} declared` : `routers ${through.join(" inside of ")} together declared`;
  return `${who} ${declared}, observed ${observed}`;
}

/** `mapping endpoint-independent, filtering address-dependent, no hairpinning, ports kept` */
function describeObservation(observation: NatObservation): string {
  switch (observation.type) {
    case "udp-blocked":
      return "no UDP at all";
    case "no-nat":
      return `no address translation, filtering ${observation.filtering}`;
    case "nat": {
      const { mapping, filtering, hairpinning, portPreservation } = observation;
      return [
        `mapping ${mapping ?? UNKNOWN_MAPPING}`,
        `filtering ${filtering}`,
        hairpinning ? "hairpinning" : "no hairpinning",
        portPreservation ? "ports kept" : "other ports",
      ].join(", ");
    }
  }
}

type Nat = Extract<NatObservation, { readonly type: "nat" }>;

/** Where a firewall lets too little through to tell. */
const UNKNOWN_MAPPING = "that cannot be told";

const STRICTNESS = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;

function differenceOfKind(expected: NatObservation, observed: NatObservation): Difference {
  const isSilence = observed.type === "udp-blocked";
  if (isSilence || expected.type === "udp-blocked")
    return { declared: describeObservation(expected), observed: describeObservation(observed), isSilence };
  const kind = (isTranslated: boolean): string => (isTranslated ? "address translation" : "no address translation");
  return { declared: kind(expected.type === "nat"), observed: kind(observed.type === "nat"), isSilence };
}

function differenceOfMappings(expected: Nat, observed: Nat): readonly Difference[] {
  if (expected.mapping === observed.mapping) return [];
  return [
    {
      declared: `mapping ${expected.mapping ?? UNKNOWN_MAPPING}`,
      observed: observed.mapping ?? "too few answers to tell",
      isSilence: observed.mapping === undefined,
    },
  ];
}

function differenceOfFilters(expected: Nat["filtering"], observed: Nat["filtering"]): readonly Difference[] {
  if (expected === observed) return [];
  const isSilence = STRICTNESS.indexOf(observed) > STRICTNESS.indexOf(expected);
  return [{ declared: `filtering ${expected}`, observed, isSilence }];
}

function differenceOfHairpinning(expected: Nat, observed: Nat): readonly Difference[] {
  if (expected.hairpinning === observed.hairpinning) return [];
  const [declared, found] = expected.hairpinning ? ["hairpinning", "none"] : ["no hairpinning", "hairpinning"];
  return [{ declared, observed: found, isSilence: expected.hairpinning }];
}

function differenceOfOutside(
  { firstPort, drawnFrom, rival }: VerificationProbe,
  expected: Nat,
  observed: Nat,
): Difference[] {
  const { mapped } = observed;
  const differences: Difference[] = [];
  const note = (declared: string, found: string): void =>
    void differences.push({ declared, observed: found, isSilence: false });
  if (mapped.ip !== expected.mapped.ip) note(`the outside address ${expected.mapped.ip}`, mapped.ip);
  if (drawnFrom !== undefined && (mapped.port < drawnFrom.first || mapped.port > drawnFrom.last))
    note(`ports drawn from ${drawnFrom.first}-${drawnFrom.last}`, String(mapped.port));
  else if (drawnFrom === undefined && rival === undefined && expected.portPreservation !== observed.portPreservation)
    note(expected.portPreservation ? "ports kept" : "ports drawn", `${mapped.port} for a port from ${firstPort} on`);
  if (expected.parityPreservation && !observed.parityPreservation)
    note("even ports for even ports, odd ones for odd ones", "others");
  return differences;
}
