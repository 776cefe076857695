/** The outside ports that a NAT may draw, in an order derived from its seed. */

import type { NatProfile } from "@testbed/agent/control";
import { blockOf } from "../topology/model/inside-hosts.ts";
import { derivedNumber, derivedSequence } from "../topology/resolve/seed.ts";

/** Most ports to draw from: enough to make collisions rare, few enough to read. */
export const MOST_DRAWN_PORTS = 1024;

/** A part of the drawn ports. */
export interface PortPool {
  /** Which packets draw from it: by the parity of their inside port, or by their host. */
  readonly inside: "any" | "even" | "odd" | { readonly host: string };
  readonly ports: readonly number[];
}

/**
 * The pools of a NAT: one, one for each host where they have blocks, or where parity is preserved one for each parity, the even one first. Ports in `given` are
 * permanently assigned and left out.
 */
export function portPools(
  nat: Pick<NatProfile, "ports" | "parity" | "seed" | "portAssignment" | "blockSize">,
  given: readonly number[],
  hosts: readonly string[] = [],
): PortPool[] {
  const { ports: range, parity, seed, portAssignment } = nat;
  if (portAssignment === "block") return hosts.map((host) => blockPool({ insideHosts: hosts, nat }, host, given));
  const inOrder = portAssignment === "sequential" ? countedPorts(range, seed) : drawnPorts(range, seed);
  const ports = inOrder.filter((port) => !given.includes(port));
  if (parity === "any") return [{ inside: "any", ports }];
  return [
    { inside: "even", ports: ports.filter((port) => port % 2 === 0) },
    { inside: "odd", ports: ports.filter((port) => port % 2 === 1) },
  ];
}

function blockPool(router: Parameters<typeof blockOf>[0], host: string, given: readonly number[]): PortPool {
  const { first, last } = blockOf(router, host) ?? { first: 0, last: -1 };
  const ports = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return { inside: { host }, ports: ports.filter((port) => !given.includes(port)) };
}

/** Up to `MOST_DRAWN_PORTS` of the range, counted up from a seeded one and then from the first. */
function countedPorts({ first, last }: NatProfile["ports"], seed: number): readonly number[] {
  const size = last - first + 1;
  const start = derivedNumber(seed, "first port") % size;
  return Array.from({ length: Math.min(size, MOST_DRAWN_PORTS) }, (_, i) => first + ((start + i) % size));
}

/** Whether the outside port of a mapping is always one of the NAT's `ports`. */
export function alwaysDraws({ portAssignment }: Pick<NatProfile, "portAssignment">): boolean {
  return portAssignment !== "preserve" && portAssignment !== "overload";
}

/** Up to `MOST_DRAWN_PORTS` distinct ports of the range, both ends included: a seeded partial shuffle. */
function drawnPorts(range: { readonly first: number; readonly last: number }, seed: number): readonly number[] {
  const ports = Array.from({ length: range.last - range.first + 1 }, (_, i) => range.first + i);
  const next = derivedSequence(seed, "drawn ports");
  const count = Math.min(ports.length, MOST_DRAWN_PORTS);
  for (let i = 0; i < count; i += 1) {
    const j = i + (next() % (ports.length - i));
    [ports[i], ports[j]] = [ports[j] ?? 0, ports[i] ?? 0];
  }
  return ports.slice(0, count);
}
