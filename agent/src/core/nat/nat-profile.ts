/**
 * The behaviour of a NAT by RFC 4787: one type for topologies, rules, prediction, simulation and results. A behaviour
 * that is added here is available in all of them by name.
 */

/** What a mapping depends on, or a filter looks at (RFC 4787 sections 4.1 and 5); the least strict first. */
export const NAT_DEPENDENCES = ["endpoint-independent", "address-dependent", "address-and-port-dependent"] as const;

export type NatDependence = (typeof NAT_DEPENDENCES)[number];

/** Values of a behaviour that a NAT has or does not have. */
export const YES_OR_NO = [true, false] as const;

/** Possible values of a behaviour: one of a list, or any number. */
type Values = readonly (string | boolean)[] | "number";

/** Behaviours by name, each with its values. */
export type BehaviourTable = Readonly<Record<string, Values>>;

/** The type of one set of values of such a table. */
export type BehavioursOf<Table extends BehaviourTable> = {
  readonly [Name in keyof Table]: Table[Name] extends readonly (infer Value extends string | boolean)[]
    ? Value
    : number;
};

/** Every behaviour of a NAT in a result. */
export const NAT_BEHAVIOURS = {
  /** RFC 4787 section 4.1. */
  mapping: NAT_DEPENDENCES,
  /** RFC 4787 section 5. */
  filtering: NAT_DEPENDENCES,
  /**
   * RFC 4787 section 4.2: keep the inside port where it is free; draw one from `ports`; count them up in
   * `ports`; draw one from the block of `ports` that the inside host has (RFC 7422); or keep it where the flow is
   * unique, so that two inside hosts share it ("port overloading", REQ-3).
   */
  portAssignment: ["preserve", "random", "sequential", "block", "overload"],
  /**
   * RFC 4787 REQ-2: of several outside addresses each inside host has one, or each pair of an inside host and a
   * destination has, as with Linux' multipath routes.
   */
  pooling: ["paired", "arbitrary"],
  /** RFC 4787 section 4.2.2: whether the outside port is even exactly when the inside port is. */
  parity: ["preserve", "any"],
  /** RFC 4787 REQ-9, with external source address and port. */
  hairpinning: YES_OR_NO,
  /** RFC 4787 REQ-5, seconds. */
  udpLifetimeSec: "number",
  /** RFC 4787 REQ-6: whether inbound packets refresh a mapping too. */
  inboundRefresh: YES_OR_NO,
  /**
   * What a packet from outside that belongs to no mapping leaves behind: nothing, or a flow that claims the outside port
   * towards its sender, as in Linux where no firewall drops it.
   */
  unsolicited: ["ignore", "poison"],
} as const satisfies BehaviourTable;

export type NatBehaviour = BehavioursOf<typeof NAT_BEHAVIOURS>;

/** How much of a NAT an inside host may use, at each outside address and of each protocol; absent for no limit. */
export interface NatLimits {
  /** Mappings at a time (RFC 6888 REQ-4). */
  readonly mappingsPerHost?: number;
  /** New mappings a second, and as many at once. */
  readonly mappingsPerSecond?: number;
  /** Ports of a block; present exactly with `portAssignment: "block"`. */
  readonly blockSize?: number;
}

/** A NAT without its randomness. */
export interface NatPoint extends NatBehaviour, NatLimits {
  /** Outside ports to draw from, both ends included. */
  readonly ports: { readonly first: number; readonly last: number };
}

export interface NatProfile extends NatPoint {
  /** Seed for drawn ports. */
  readonly seed: number;
}

/** What the cone NATs of RFC 3489 section 5 have in common; the default that all others differ from. */
export const CONE_NAT: Omit<NatPoint, "filtering"> = {
  mapping: "endpoint-independent",
  portAssignment: "preserve",
  pooling: "paired",
  parity: "any",
  hairpinning: false,
  /** Linux conntrack's lifetime of a UDP flow that was answered (nf_conntrack_udp_timeout_stream). */
  udpLifetimeSec: 120,
  inboundRefresh: true,
  unsolicited: "ignore",
  /** IANA's dynamic ports (RFC 6335 section 6). */
  ports: { first: 49152, last: 65535 },
};
