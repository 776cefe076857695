/** For each NAT behaviour that a probe observes: its description, and how it differs from the declaration. */

import { NAT_DEPENDENCES, type ObservedNat } from "@testbed/agent/control";
import type { VerificationProbe } from "../plan/probe-plan.ts";
import type { Difference } from "./difference.ts";

interface ObservedWords {
  /** `filtering address-dependent`, as part of a description; absent for the usual value. */
  readonly phrase?: (nat: ObservedNat) => string;
  /** Undefined where the observation is as expected. */
  readonly difference: (
    expected: ObservedNat,
    observed: ObservedNat,
    probe: VerificationProbe,
  ) => Difference | undefined;
}

/** Where a firewall passes too little to observe the mapping. */
const UNKNOWN_MAPPING = "that cannot be told";

/** In the order of the description. */
const WORDS: Readonly<Record<keyof Required<Omit<ObservedNat, "type">>, ObservedWords>> = {
  mapping: {
    phrase: ({ mapping }) => `mapping ${mapping ?? UNKNOWN_MAPPING}`,
    // Where hosts share ports, a lost packet of one changes which port the other gets.
    difference: (expected, observed, { sharesPorts, rival }) =>
      differenceIf(expected.mapping !== observed.mapping, {
        declared: `mapping ${expected.mapping ?? UNKNOWN_MAPPING}`,
        observed: observed.mapping ?? "too few answers to tell",
        isSilence: observed.mapping === undefined || (sharesPorts === true && rival !== undefined),
      }),
  },
  filtering: {
    phrase: ({ filtering }) => `filtering ${filtering}`,
    difference: differenceOfFilters,
  },
  hairpinning: {
    phrase: ({ hairpinning }) => (hairpinning ? "hairpinning" : "no hairpinning"),
    difference: ({ hairpinning }, observed) =>
      differenceIf(hairpinning !== observed.hairpinning, {
        declared: hairpinning ? "hairpinning" : "no hairpinning",
        observed: hairpinning ? "none" : "hairpinning",
        isSilence: hairpinning,
      }),
  },
  mapped: {
    difference: (expected, observed) =>
      differenceIf(expected.mapped.ip !== observed.mapped.ip, {
        declared: `the outside address ${expected.mapped.ip}`,
        observed: observed.mapped.ip,
        isSilence: false,
      }),
  },
  furtherAddresses: {
    difference: ({ furtherAddresses: declared = [] }, { furtherAddresses: observed = [] }) => {
      const isSame = declared.toSorted().join() === observed.toSorted().join();
      return differenceIf(!isSame, {
        declared: declared.length === 0 ? "one outside address" : `the outside address ${declared.join(" and ")} too`,
        observed: observed.length === 0 ? "no other" : `${observed.join(" and ")} too`,
        isSilence: observed.every((address) => declared.includes(address)),
      });
    },
  },
  portPreservation: {
    phrase: ({ portPreservation }) => (portPreservation ? "ports kept" : "other ports"),
    difference: differenceOfPorts,
  },
  parityPreservation: {
    difference: (expected, observed) =>
      differenceIf(expected.parityPreservation && !observed.parityPreservation, {
        declared: "even ports for even ports, odd ones for odd ones",
        observed: "others",
        isSilence: false,
      }),
  },
};

/** `mapping endpoint-independent, filtering address-dependent, no hairpinning, ports kept` */
export function describeObservedNat(nat: ObservedNat): string {
  return Object.values(WORDS)
    .flatMap(({ phrase }) => phrase?.(nat) ?? [])
    .join(", ");
}

/** Where a NAT differs from what is expected, one entry per behaviour. */
export function differencesOfNats(
  expected: ObservedNat,
  observed: ObservedNat,
  probe: VerificationProbe,
): readonly Difference[] {
  return Object.values(WORDS).flatMap(({ difference }) => difference(expected, observed, probe) ?? []);
}

/** Filtering that looks stricter than declared may only be packet loss. */
export function differenceOfFilters(
  expected: Pick<ObservedNat, "filtering">,
  observed: Pick<ObservedNat, "filtering">,
): Difference | undefined {
  const strictness = ({ filtering }: Pick<ObservedNat, "filtering">): number => NAT_DEPENDENCES.indexOf(filtering);
  return differenceIf(expected.filtering !== observed.filtering, {
    declared: `filtering ${expected.filtering}`,
    observed: observed.filtering,
    isSilence: strictness(observed) > strictness(expected),
  });
}

/**
 * Of several hosts that send from one port only one keeps it, so that one probe alone shows nothing, unless they share
 * ports.
 */
function differenceOfPorts(
  expected: ObservedNat,
  { mapped, portPreservation }: ObservedNat,
  { firstPort, drawnFrom, rival, sharesPorts }: VerificationProbe,
): Difference | undefined {
  if (drawnFrom !== undefined)
    return differenceIf(mapped.port < drawnFrom.first || mapped.port > drawnFrom.last, {
      declared: `ports drawn from ${drawnFrom.first}-${drawnFrom.last}`,
      observed: String(mapped.port),
      isSilence: false,
    });
  const showsAlone = rival === undefined || sharesPorts === true;
  return differenceIf(showsAlone && expected.portPreservation !== portPreservation, {
    declared: expected.portPreservation ? "ports kept" : "ports drawn",
    observed: `${mapped.port} for a port from ${firstPort} on`,
    isSilence: false,
  });
}

function differenceIf(isDifferent: boolean, difference: Difference): Difference | undefined {
  return isDifferent ? difference : undefined;
}
