/** Local ports for probes: used by nothing else, and none that a NAT may draw. */

import type { ResolvedTopology } from "../topology/model/resolved.ts";

/** Room for every attempt of a probe, at five sockets each. */
const PORTS_PER_PROBE = 40;

/**
 * Where the search for ports begins: below the kernel's ephemeral ports (32768 and up) and the usual ranges of NATs.
 */
const LOWEST = 20_000;
const HIGHEST = 65_535;

/**
 * The first ports of `count` blocks. A port that a NAT can draw as an outside port may be taken when a probe tests port
 * preservation; such ports are used only where NATs leave no others.
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
