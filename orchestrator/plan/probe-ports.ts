/** Local ports for probes: nobody else's, and none that a middlebox might draw. */

import type { ResolvedTopology } from "../topology/model/resolved.ts";

/** Room for as many attempts of five sockets as a probe makes. */
const PORTS_PER_PROBE = 40;

/** Where the search for ports begins: below the kernel's own choices (32768 and up) and the usual ranges of middleboxes. */
const LOWEST = 20_000;
const HIGHEST = 65_535;

/**
 * The first ports of `count` blocks. A port that a middlebox can draw as an outside port may be taken when a probe comes to ask
 * whether ports are kept; where middleboxes draw from everywhere, such ports must do.
 */
export function probePortBlocks({ nodes }: ResolvedTopology, count: number): readonly number[] {
  const candidatePorts = nodes.flatMap((node) => ("port" in node ? [{ first: node.port, last: node.port }] : []));
  const drawn = nodes.flatMap((node) => (node.role === "router" && node.nat !== undefined ? [node.nat.ports] : []));
  const undrawn = freeBlocks([...candidatePorts, ...drawn], count);
  return undrawn.length === count ? undrawn : freeBlocks(candidatePorts, count);
}

function freeBlocks(taken: readonly { readonly first: number; readonly last: number }[], count: number): number[] {
  const blocks: number[] = [];
  for (let first = LOWEST; blocks.length < count && first + PORTS_PER_PROBE <= HIGHEST; first += PORTS_PER_PROBE) {
    const last = first + PORTS_PER_PROBE - 1;
    if (!taken.some((range) => range.first <= last && first <= range.last)) blocks.push(first);
  }
  return blocks;
}
