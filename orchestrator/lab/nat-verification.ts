/** Compares the declared behaviour of a topology's NATs and firewalls with what probes observed. */

import type { NatObservation } from "@testbed/agent/control";
import type { VerificationProbe } from "../plan/probe-plan.ts";
import { formatEndpoint } from "../topology/model/address-text.ts";
import type { Difference } from "./difference.ts";
import { describeObservedNat, differenceOfFilters, differencesOfNats } from "./observed-words.ts";

/** What a probe observed of the NATs and firewalls in front of a LAN, and what it should have observed. */
export interface NatVerification {
  /** The router whose LAN the probe was sent from, and every router it passed through, innermost first. */
  readonly router: string;
  readonly lan: string;
  readonly through: readonly string[];
  readonly node: string;
  readonly server: string;
  readonly ipVersion: 4 | 6;
  readonly expected: NatObservation;
  readonly observed: NatObservation;
  readonly differences: readonly Difference[];
  /** Attempts made until silence was taken as an answer. */
  readonly attempts: number;
}

/** A probe and its observation. */
export interface Observed {
  readonly probe: VerificationProbe;
  readonly observed: NatObservation;
}

/** Where one probe observed something unexpected; empty when all behaviour is as declared. */
export function differencesOf({ probe, observed }: Observed): readonly Difference[] {
  const { expected } = probe;
  if (expected.type !== observed.type) return [differenceOfKind(expected, observed)];
  if (observed.type === "udp-blocked" || expected.type === "udp-blocked") return [];
  if (observed.type === "nat" && expected.type === "nat") return differencesOfNats(expected, observed, probe);
  return [differenceOfFilters(expected, observed)].filter((difference) => difference !== undefined);
}

/**
 * Where probes from one LAN and the same ports contradict each other: every inside host needs a separate outside port,
 * and with port preservation exactly one of them keeps its port. Where they share ports, each probe alone shows it.
 */
export function differencesOfRivals(rivals: readonly Observed[]): readonly Difference[] {
  const seen = rivals.flatMap(({ observed, probe }) => (observed.type === "nat" ? [{ observed, probe }] : []));
  const [one, other] = seen;
  if (one === undefined || other === undefined || one.probe.sharesPorts === true) return [];
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

/** `router nat-a declared mapping endpoint-independent, observed address-and-port-dependent` */
export function describeDifference(
  { through }: Pick<NatVerification, "through">,
  { declared, observed }: Difference,
): string {
  const [only, ...others] = through;
  const who =
    others.length === 0 ? `router ${only ?? ""} declared` : `routers ${through.join(" inside of ")} together declared`;
  return `${who} ${declared}, observed ${observed}`;
}

function describeObservation(observation: NatObservation): string {
  switch (observation.type) {
    case "udp-blocked":
      return "no UDP at all";
    case "no-nat":
      return `no address translation, filtering ${observation.filtering}`;
    case "nat":
      return describeObservedNat(observation);
  }
}

function differenceOfKind(expected: NatObservation, observed: NatObservation): Difference {
  const isSilence = observed.type === "udp-blocked";
  if (isSilence || expected.type === "udp-blocked")
    return { declared: describeObservation(expected), observed: describeObservation(observed), isSilence };
  const kind = (isTranslated: boolean): string => (isTranslated ? "address translation" : "no address translation");
  return { declared: kind(expected.type === "nat"), observed: kind(observed.type === "nat"), isSilence };
}
