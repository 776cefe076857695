/** Resolves the event by which a node gets other addresses on a segment. */

import type { Report } from "../file/issue-list.ts";
import type { Topology } from "../file/topology.ts";
import {
  addressAt,
  canonicalText,
  contains,
  type Family,
  formatNetwork,
  parseNetwork,
  sizeOf,
  withoutLength,
} from "../model/address-text.ts";
import { durationMs } from "../model/duration.ts";
import { outsideInterfaces } from "../model/outside.ts";
import type { ReaddressAction, ResolvedInterface, ResolvedNode } from "../model/resolved.ts";
import type { Interfaces } from "./addressing.ts";

interface Context {
  readonly topology: Topology;
  /** The nodes at the time of the event. */
  readonly nodes: readonly ResolvedNode[];
  readonly everywhere: Interfaces;
  readonly report: Report;
}

/** The first address, after the segment's router. */
const FIRST_OFFSET = 2n;

/**
 * The node's interfaces with other addresses on its first segment, a router's on its outside one. Undefined where the
 * event names no such node, which is reported elsewhere.
 */
export function resolveReaddress(
  context: Context,
  { path, entry: { addresses = {}, overlap } }: Topology["timeline"][number],
  name: string,
): ReaddressAction | undefined {
  const node = context.nodes.find((candidate) => candidate.name === name);
  const [changing, ...further] =
    node?.role === "router" ? outsideInterfaces(node) : (node?.interfaces.slice(0, 1) ?? []);
  if (node === undefined || changing === undefined) return undefined;
  if (further.length > 0 || changing.pool !== undefined) {
    const message = `expected a router with one outside address; found ${name}, which has several; take another event`;
    context.report("unsupported", path, message, "key");
  }
  const given = Object.keys(addresses).length > 0;
  const replaced = (family: Family): string | undefined => {
    const old = changing[`ipv${family}`];
    const wanted = addresses[`ipv${family}`];
    const isChanged = wanted !== undefined || (!given && (family === 4 || node.role !== "router"));
    if (old === undefined) {
      if (wanted !== undefined)
        context.report(
          "bad-address",
          [...path, "addresses", `ipv${family}`],
          `expected no IPv${family} address: ${name} has none on ${changing.segment}; remove it`,
        );
      return undefined;
    }
    if (!isChanged) return old;
    const at = [...path, ...(wanted === undefined ? [] : ["addresses", `ipv${family}`])];
    return otherAddress(context, changing, {
      old,
      wanted,
      report: (message) => context.report("bad-address", at, message),
    });
  };
  const { ipv4: _, ipv6: __, ...same } = changing;
  const [ipv4, ipv6] = [replaced(4), replaced(6)];
  const changed: ResolvedInterface = { ...same, ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) };
  return {
    type: "readdress",
    node: name,
    segment: changing.segment,
    interfaces: node.interfaces.map((own) => (own === changing ? changed : own)),
    routes: node.routes,
    overlapMs: overlap === undefined ? 0 : Math.round(durationMs(overlap)),
  };
}

interface Change {
  /** With prefix length. */
  readonly old: string;
  readonly wanted: string | undefined;
  readonly report: (message: string) => void;
}

/** The wanted address or the next free one, with prefix length. */
function otherAddress(context: Context, { segment }: ResolvedInterface, { old, wanted, report }: Change): string {
  const network = parseNetwork(old);
  const taken = takenOn(context, segment);
  const text = `${segment} (${formatNetwork(network)})`;
  if (wanted !== undefined) {
    const address = canonicalText(wanted);
    if (!contains(network, address)) report(`expected an address inside ${text}; found ${address}`);
    else if (taken.has(address))
      report(`expected an address that no node of ${text} has at any time; found ${address}`);
    return `${address}/${network.length}`;
  }
  for (let offset = FIRST_OFFSET; offset < sizeOf(network) - 1n; offset += 1n) {
    const address = addressAt(network, offset);
    if (!taken.has(address)) return `${address}/${network.length}`;
  }
  report(`expected room for another address; ${text} is full; take a shorter prefix`);
  return old;
}

/** Addresses that a node has on a segment at the start, after a move, or at the time of the event. */
function takenOn({ everywhere, nodes }: Context, segment: string): ReadonlySet<string> {
  const interfaces = [...[...everywhere.values()].flat(), ...nodes.flatMap((node) => node.interfaces)];
  const here = interfaces.filter((own) => own.segment === segment);
  const addresses = here.flatMap(({ ipv4, ipv6, alternate, pool = [] }) => [
    ...[ipv4, ipv6, alternate?.ipv4, alternate?.ipv6],
    ...pool,
  ]);
  return new Set(addresses.filter((address) => address !== undefined).map(withoutLength));
}
