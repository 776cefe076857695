/** The behaviour of a NAT as a point in the space of RFC 4787; presets are names for points. */

import type { NatDependence } from "@testbed/agent/control";

export interface NatProfile {
  /** RFC 4787 section 4.1. */
  readonly mapping: NatDependence;
  /** RFC 4787 section 5. */
  readonly filtering: NatDependence;
  /** RFC 4787 section 4.2: keep the inside port where free, or draw one from `ports`. */
  readonly portAssignment: "preserve" | "random";
  /** RFC 4787 section 4.2.2: whether an even inside port gets an even outside port, and an odd one an odd one. */
  readonly parity: "preserve" | "any";
  /** Outside ports to draw from, both ends included. */
  readonly ports: { readonly first: number; readonly last: number };
  /** RFC 4787 REQ-9, with external source address and port. */
  readonly hairpinning: boolean;
  /** RFC 4787 REQ-5, seconds. */
  readonly udpLifetimeSec: number;
  /** RFC 4787 REQ-6: whether packets from outside keep a mapping alive too. */
  readonly inboundRefresh: boolean;
  /** Makes drawn ports reproducible. */
  readonly seed: number;
}
