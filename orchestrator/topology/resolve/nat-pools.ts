/** The further outside addresses of NATs: those that a file lists, or the first free ones. */

import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { NodeEntry, RouterEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { addressAt, canonicalText, type Network, sizeOf } from "../model/address-text.ts";
import { ownerProblem, placeProblem } from "./address-problem.ts";
import { type Attachment, natKeysOf } from "./attachment.ts";

interface Context {
  readonly topology: Topology;
  readonly report: Report;
}

/** Addresses by attachment, without prefix length and without the router's own. */
type Pools = Map<Attachment, readonly string[]>;

/** The address that a router itself has on a segment because it is the first of its NAT's list. */
export function firstOfPool(entry: NodeEntry, segment: string): string | undefined {
  const addresses = entry.role === "router" ? natKeysOf(entry)?.addresses : undefined;
  const isOutside = entry.role === "router" && [entry.wan].flat()[0] === segment;
  return isOutside && typeof addresses === "object" ? addresses[0] : undefined;
}

/** Where a router's addresses stand. */
export function poolPath(node: string, entry: NodeEntry): IssuePath {
  return ["nodes", node, entry.role === "router" && entry.nat64 !== undefined ? "nat64" : "nat", "addresses"];
}

/** What is listed after the first, each checked against the segment and the others. */
export function listedPools(context: Context, here: readonly Attachment[], network: Network): Pools {
  const owners = new Map<string, string>();
  const pools: Pools = new Map();
  for (const { attachment, entry } of routersOutside(context, here)) {
    const { addresses } = natKeysOf(entry) ?? {};
    const path = poolPath(attachment.node, entry);
    checkAlone(context, attachment, entry, path);
    if (typeof addresses !== "object") continue;
    const pool = addresses.map(canonicalText);
    pool.forEach((address, i) => {
      const problem =
        i === 0
          ? ownerProblem(owners, attachment.node, address)
          : (placeProblem(attachment.segment, network, address) ?? ownerProblem(owners, attachment.node, address));
      if (problem !== undefined) context.report(problem.code, [...path, i], problem.message);
      owners.set(address, attachment.node);
    });
    if (pool.length > 1) pools.set(attachment, pool.slice(1));
  }
  return pools;
}

/** The first free addresses of those that want only a number of them. */
export function countedPools(
  context: Context,
  here: readonly Attachment[],
  network: Network,
  taken: ReadonlySet<string>,
): Pools {
  const pools: Pools = new Map();
  let offset = 1n;
  for (const { attachment, entry } of routersOutside(context, here)) {
    const { addresses = 1 } = natKeysOf(entry) ?? {};
    if (typeof addresses !== "number" || addresses === 1) continue;
    const pool: string[] = [];
    while (pool.length < addresses - 1 && offset < sizeOf(network) - 2n) {
      offset += 1n;
      const address = addressAt(network, offset);
      if (!taken.has(address)) pool.push(address);
    }
    if (pool.length < addresses - 1) {
      const message = `expected room for ${addresses} addresses of ${attachment.node}; ${attachment.segment} is full; take a shorter prefix`;
      context.report("bad-address", poolPath(attachment.node, entry), message);
    }
    pools.set(attachment, pool);
  }
  return pools;
}

/** Routers whose first outside segment it is. */
function routersOutside({ topology }: Context, here: readonly Attachment[]) {
  return here.flatMap((attachment) => {
    const entry = topology.nodes.get(attachment.node);
    const isFirst = entry?.role === "router" && [entry.wan].flat()[0] === attachment.segment;
    return isFirst && attachment.side === "wan" ? [{ attachment, entry }] : [];
  });
}

function checkAlone({ report }: Context, { node, segment }: Attachment, entry: RouterEntry, path: IssuePath): void {
  const { addresses } = natKeysOf(entry) ?? {};
  if (addresses === undefined) return;
  if ([entry.wan].flat().length > 1) {
    const message = `expected one outside segment beside \`addresses\`; found ${String(entry.wan)}, with an address of ${node} on each; remove one`;
    report("unsupported", path, message, "key");
  }
  if (typeof addresses === "object" && entry.addresses?.[segment]?.ipv4 !== undefined) {
    const message = `expected the address of ${node} on ${segment} once; found it here and in the \`addresses\` of ${node}; remove one`;
    report("duplicate", path, message, "key");
  }
}
