/**
 * The behaviour of a NAT as a point in the space of RFC 4787: one type for topologies, rules, prediction, simulation and
 * results. A behaviour that is added here is carried through all of them by name.
 */

/** What a mapping depends on, or a filter looks at (RFC 4787 sections 4.1 and 5); the least strict first. */
export const NAT_DEPENDENCES = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;

export type NatDependence = (typeof NAT_DEPENDENCES)[number];

/** Values of a behaviour that a NAT has or has not. */
export const YES_OR_NO = [true, false] as const;

/** The values that a behaviour can have: one of a list, or any number. */
type Values = readonly (string | boolean)[] | "number";

/** Behaviours by name, each with its values. */
export type BehaviourTable = Readonly<Record<string, Values>>;

/** The type of one point in the space that a table spans. */
export type BehavioursOf<Table extends BehaviourTable> = {
  readonly [Name in keyof Table]: Table[Name] extends readonly (infer Value extends string | boolean)[]
    ? Value
    : number;
};

/** Every behaviour that is told of a NAT in a result. */
export const NAT_BEHAVIOURS = {
  /** RFC 4787 section 4.1. */
  mapping: NAT_DEPENDENCES,
  /** RFC 4787 section 5. */
  filtering: NAT_DEPENDENCES,
  /** RFC 4787 section 4.2: keep the inside port where it is free, or draw one from `ports`. */
  portAssignment: ["preserve", "random"],
  /** RFC 4787 section 4.2.2: whether an even inside port gets an even outside port, and an odd one an odd one. */
  parity: ["preserve", "any"],
  /** RFC 4787 REQ-9, with external source address and port. */
  hairpinning: YES_OR_NO,
  /** RFC 4787 REQ-5, seconds. */
  udpLifetimeSec: "number",
  /** RFC 4787 REQ-6: whether packets from outside keep a mapping alive too. */
  inboundRefresh: YES_OR_NO,
} as const satisfies BehaviourTable;

export type NatBehaviour = BehavioursOf<typeof NAT_BEHAVIOURS>;

/** Everything about a NAT but the chance in it. */
export interface NatPoint extends NatBehaviour {
  /** Outside ports to draw from, both ends included. */
  readonly ports: { readonly first: number; readonly last: number };
}

export interface NatProfile extends NatPoint {
  /** Makes drawn ports reproducible. */
  readonly seed: number;
}

/** What the cone NATs of RFC 3489 section 5 have in common: the point from which every other one is told apart. */
export const CONE_NAT: Omit<NatPoint, "filtering"> = {
  mapping: "endpoint-independent",
  portAssignment: "preserve",
  parity: "any",
  hairpinning: false,
  /** Linux conntrack's lifetime of a UDP flow that was answered (nf_conntrack_udp_timeout_stream). */
  udpLifetimeSec: 120,
  inboundRefresh: true,
  /** IANA's dynamic ports (RFC 6335 section 6). */
  ports: { first: 49152, last: 65535 },
};
