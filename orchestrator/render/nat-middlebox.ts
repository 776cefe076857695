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

/**
 * A translation with the router's interfaces in nft syntax, one of its outside addresses, and the forwards of the
 * protocol.
 */
export interface Middlebox extends Translation {
  readonly forwards: readonly PortForward[];
  readonly wan: string;
  readonly lan: string;
  readonly address: string;
  /** Addresses of the hosts that it translates. */
  readonly insideHosts: readonly string[];
  /** The mark of packets that are sent from this address; absent where it is the only one. */
  readonly mark?: number;
}

/** What matches the packets from inside that are sent from a middlebox's address, in nft syntax. */
export function chosen({ address, mark }: Pick<Middlebox, "address" | "mark">): string {
  return mark === undefined ? `ip saddr != ${address}` : marked({ mark });
}

/** The same where the packets are known to come from inside: nothing where there is one address. */
export function marked({ mark }: Pick<Middlebox, "mark">): string {
  return mark === undefined ? "" : `meta mark ${mark}`;
}

/** One name of an interface, or a set of several, in nft syntax. */
export function nftNames(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`);
  return quoted.length === 1 ? quoted.join() : `{ ${quoted.join(", ")} }`;
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
