/** The outside ports that a box may draw, in an order that follows from its seed. */

import { derivedSequence } from "../topology/seed.ts";

/** As many as are drawn from at most: enough for endpoints to meet rarely, few enough to read. */
export const MOST_DRAWN_PORTS = 1024;

/** Different ports of the range, both ends included, at most `MOST_DRAWN_PORTS`; a seeded partial shuffle. */
export function drawnPorts(range: { readonly first: number; readonly last: number }, seed: number): readonly number[] {
  const ports = Array.from({ length: range.last - range.first + 1 }, (_, i) => range.first + i);
  const next = derivedSequence(seed, "drawn ports");
  const count = Math.min(ports.length, MOST_DRAWN_PORTS);
  for (let i = 0; i < count; i += 1) {
    const j = i + (next() % (ports.length - i));
    [ports[i], ports[j]] = [ports[j] ?? 0, ports[i] ?? 0];
  }
  return ports.slice(0, count);
}
