/** What a probe observes of the NAT or firewall in front of it, derived from answers (RFC 5780 section 4). */

import { type SocketAddress, sameSocketAddress } from "../address.ts";
import {
  type BehavioursOf,
  type BehaviourTable,
  NAT_DEPENDENCES,
  type NatDependence,
  YES_OR_NO,
} from "../nat/nat-profile.ts";

/** Every NAT behaviour that a probe can observe. */
export const OBSERVED_BEHAVIOURS = {
  /** Absent where the answers are missing: silence shows nothing about a mapping. */
  mapping: NAT_DEPENDENCES,
  filtering: NAT_DEPENDENCES,
  /** Two inside sockets reach each other through their outside addresses (RFC 4787 REQ-9). */
  hairpinning: YES_OR_NO,
  /** The outside port equals the inside port (RFC 4787 section 4.2.1). */
  portPreservation: YES_OR_NO,
  /** Every observed outside port is even exactly when its inside port is (RFC 4787 section 4.2.2). */
  parityPreservation: YES_OR_NO,
} as const satisfies BehaviourTable;

type Behaviour = BehavioursOf<typeof OBSERVED_BEHAVIOURS>;

/** What a probe observed of a NAT. */
export interface ObservedBehaviour extends Omit<Behaviour, "mapping">, Partial<Pick<Behaviour, "mapping">> {}

/** Outcome of a probe. */
export type NatObservation =
  /** No request was ever answered. */
  | { readonly type: "udp-blocked" }
  /** The server sees the local address; a firewall may still filter. */
  | { readonly type: "no-nat"; readonly filtering: NatDependence }
  | ObservedNat;

export interface ObservedNat extends ObservedBehaviour {
  readonly type: "nat";
  /** Outside address towards the server's first address and port. */
  readonly mapped: SocketAddress;
  /** Other outside addresses that the same socket has towards other addresses and ports of the server; absent for none. */
  readonly furtherAddresses?: readonly string[];
}

/** The answer to each request of a probe; absent means unanswered. */
export interface ProbeAnswers {
  readonly local: SocketAddress;
  /** Mapped addresses of one socket towards the server's first address and port, second address, second address and port. */
  readonly mappedFirst?: SocketAddress;
  readonly mappedSecondAddress?: SocketAddress;
  readonly mappedSecondPort?: SocketAddress;
  /** Every mapped address that an answer showed, of any socket, with the local port of that socket. */
  readonly mappings: readonly { readonly localPort: number; readonly mapped: SocketAddress }[];
  /** Whether an answer arrived from an address and port never sent to. */
  readonly passesOtherAddress: boolean;
  /** Whether an answer arrived from the address sent to, other port. */
  readonly passesOtherPort: boolean;
  readonly hairpinned: boolean;
}

/** Classifies as in RFC 5780 sections 4.3 and 4.4. */
export function concludeObservation(answers: ProbeAnswers): NatObservation {
  const { local, mappedFirst } = answers;
  if (mappedFirst === undefined) return { type: "udp-blocked" };
  const filtering = filteringOf(answers);
  if (sameSocketAddress(mappedFirst, local)) return { type: "no-nat", filtering };
  const mapping = mappingOf(answers, mappedFirst);
  const further = [answers.mappedSecondAddress, answers.mappedSecondPort].flatMap((mapped) =>
    mapped === undefined || mapped.ip === mappedFirst.ip ? [] : [mapped.ip],
  );
  return {
    type: "nat",
    ...(mapping === undefined ? {} : { mapping }),
    filtering,
    hairpinning: answers.hairpinned,
    portPreservation: mappedFirst.port === local.port,
    parityPreservation: answers.mappings.every(({ localPort, mapped }) => mapped.port % 2 === localPort % 2),
    mapped: mappedFirst,
    ...(further.length === 0 ? {} : { furtherAddresses: [...new Set(further)] }),
  };
}

function filteringOf({ passesOtherAddress, passesOtherPort }: ProbeAnswers): NatDependence {
  if (passesOtherAddress) return "endpoint-independent";
  return passesOtherPort ? "address-dependent" : "address-and-port-dependent";
}

function mappingOf(
  { mappedSecondAddress, mappedSecondPort }: ProbeAnswers,
  first: SocketAddress,
): NatDependence | undefined {
  if (mappedSecondAddress === undefined) return undefined;
  if (sameSocketAddress(mappedSecondAddress, first)) return "endpoint-independent";
  if (mappedSecondPort === undefined) return undefined;
  return sameSocketAddress(mappedSecondAddress, mappedSecondPort) ? "address-dependent" : "address-and-port-dependent";
}
