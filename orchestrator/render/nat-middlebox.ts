/** What a NAT's table is rendered from. */

import type { NatDependence, NatProfile } from "@testbed/agent/control";
import type { PortForward } from "../topology/model/resolved.ts";

/** A NAT's behaviour with one protocol. */
export interface Translation extends Omit<NatProfile, "udpLifetimeSec"> {
  readonly protocol: PortForward["protocol"];
  /** How long a mapping lives after its last packet, seconds. */
  readonly lifetimeSec: number;
  /** The same for packets of open connections, where that is another time. */
  readonly openLifetimeSec?: number;
}

/** A translation with the router's interfaces in nft syntax, its outside address, and the forwards of the protocol. */
export interface Middlebox extends Translation {
  readonly forwards: readonly PortForward[];
  readonly wan: string;
  readonly lan: string;
  readonly address: string;
}

/** What a mapping depends on (RFC 4787 section 4.1), as expressions of connection tracking. */
export const MAPPING_KEY: Readonly<Record<NatDependence, string>> = {
  "endpoint-independent": "ct original ip saddr . ct original proto-src",
  "address-dependent": "ct original ip saddr . ct original proto-src . ct original ip daddr",
  "address-and-port-dependent":
    "ct original ip saddr . ct original proto-src . ct original ip daddr . ct original proto-dst",
};

/**
 * For address-and-port-dependent filtering connection tracking suffices, unless packets from outside must not refresh.
 */
export function remembersPeers({
  filtering,
  inboundRefresh,
}: Pick<Middlebox, "filtering" | "inboundRefresh">): boolean {
  return filtering === "address-dependent" || (filtering === "address-and-port-dependent" && !inboundRefresh);
}

/** Outside ports of a protocol that are never drawn. */
export function forwardedPorts(forwards: readonly PortForward[], of: Middlebox["protocol"]): readonly number[] {
  return forwards.filter(({ protocol }) => protocol === of).map(({ port }) => port);
}
