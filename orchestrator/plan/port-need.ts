/**
 * How many outside ports of a NAT are taken by probes and by the nodes inside of it. Each new mapping draws a port,
 * unless it keeps that of its socket.
 */

import type { NatDependence, NatProfile } from "@testbed/agent/control";

/**
 * Mappings of the five sockets of a probe: the first sends to three addresses and ports, two of them at one address,
 * and the last two to the server and to the NAT's outside address.
 */
const MAPPINGS: Readonly<Record<NatDependence, number>> = {
  "endpoint-independent": 5,
  "address-dependent": 8,
  "address-and-port-dependent": 9,
};
const SOCKETS = 5;

/** Attempts with ports of their own, where silence is not believed at once. */
const ATTEMPTS = 4;

type Draws = Pick<NatProfile, "mapping" | "portAssignment">;

/** The most ports that probes draw, from so many hosts with equal inside ports, of which one can keep them. */
export function mostPortsOfProbes({ mapping, portAssignment }: Draws, hosts: number): number {
  const kept = portAssignment === "preserve" ? SOCKETS : 0;
  return ATTEMPTS * (hosts * MAPPINGS[mapping] - kept);
}

/**
 * Destinations of a node in one session, by address and port: tunnel, STUN server, and candidates of its peer, some of
 * them seen anew.
 */
const DESTINATIONS = 8;

/** The most ports that so many nodes draw for a session each. */
export function mostPortsOfNodes({ mapping, portAssignment }: Draws, nodes: number): number {
  if (mapping !== "endpoint-independent") return nodes * DESTINATIONS;
  return portAssignment === "preserve" ? nodes - 1 : nodes;
}
