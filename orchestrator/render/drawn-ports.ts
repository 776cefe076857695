/** The outside ports that a middlebox may draw, in an order that follows from its seed. */

import type { NatProfile } from "@testbed/agent/control";
import { derivedSequence } from "../topology/resolve/seed.ts";

/** As many as are drawn from at most: enough for endpoints to meet rarely, few enough to read. */
export const MOST_DRAWN_PORTS = 1024;

/** A part of the drawn ports. */
export interface PortPool {
  /** Whose packets draw from it: all, or those with such an inside port. */
  readonly inside: "any" | "even" | "odd";
  readonly ports: readonly number[];
}

/**
 * What packets draw from: one pool, or where parity is preserved one for each parity, the even one first. Ports in
 * `given` are somebody's for good.
 */
export function portPools(
  { ports: range, parity, seed }: Pick<NatProfile, "ports" | "parity" | "seed">,
  given: readonly number[],
): PortPool[] {
  const ports = drawnPorts(range, seed).filter((port) => !given.includes(port));
  if (parity === "any") return [{ inside: "any", ports }];
  return [
    { inside: "even", ports: ports.filter((port) => port % 2 === 0) },
    { inside: "odd", ports: ports.filter((port) => port % 2 === 1) },
  ];
}

/** Different ports of the range, both ends included, at most `MOST_DRAWN_PORTS`; a seeded partial shuffle. */
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
