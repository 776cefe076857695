/**
 * IPv6-only networks behind a NAT64. In the model they have an IPv4 network as well: the pool by whose addresses the
 * NAT64 knows its hosts. So routes, NAT and prediction are those of a NAT of IPv4; only what the nodes are given differs.
 */

import { NAT64_PREFIX_LENGTHS, translatedSource } from "@testbed/agent/control";
import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { NodeEntry, RouterEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { formatNetwork, overlaps, parseNetwork, withoutLength } from "../model/address-text.ts";
import type { ResolvedInterface, ResolvedNat64 } from "../model/resolved.ts";
import type { Interfaces } from "./addressing.ts";
import { type Attachment, attachmentsOf } from "./attachment.ts";

/** Where pools come from, one of 256 addresses for each segment: shared address space (RFC 6598). */
const POOLS = { first: "100.127", count: 256 } as const;

/** Network part of an IPv6 address in which there is room for the addresses of a NAT64's clients. */
const LONGEST_NETWORK = 96;

/** The topology with the pools as IPv4 networks of their segments. Reports every NAT64 that cannot be. */
export function withPools(topology: Topology, report: Report): Topology {
  const segments = new Map(topology.segments);
  let pools = 0;
  for (const { name, entry, prefix, lans } of translators(topology)) {
    checkPrefix(topology, name, prefix, report);
    checkRouter(name, entry, report);
    for (const { segment, path } of lans) {
      const own = topology.segments.get(segment);
      if (own === undefined) continue;
      const problem = segmentProblem(own, pools);
      if (problem !== undefined) report("unsupported", path, problem(segment));
      else segments.set(segment, { ...own, ipv4: `${POOLS.first}.${pools}.0/24` });
      pools += 1;
    }
  }
  return { ...topology, segments };
}

/** A router with a NAT64, and the segments that this serves. */
interface Translator {
  readonly name: string;
  readonly entry: RouterEntry;
  readonly prefix: string;
  readonly lans: readonly Attachment[];
}

function translators({ nodes }: Topology): readonly Translator[] {
  return [...nodes].flatMap(([name, entry]) => {
    if (entry.role !== "router" || entry.nat64 === undefined) return [];
    const lans = attachmentsOf(name, entry).filter(({ side }) => side === "lan");
    return [{ name, entry, prefix: entry.nat64.prefix, lans }];
  });
}

/** The prefix of the NAT64 that serves each segment; none for most. */
function prefixesBySegment(topology: Topology): ReadonlyMap<string, string> {
  return new Map(
    translators(topology).flatMap(({ prefix, lans }) => lans.map(({ segment }) => [segment, prefix] as const)),
  );
}

/** Reports a prefix of synthesised addresses that has another length than those of RFC 6052. */
export function checkPrefixLength(prefix: string, path: IssuePath, report: Report): void {
  if (NAT64_PREFIX_LENGTHS.includes(parseNetwork(prefix).length)) return;
  const message = `expected a prefix of ${NAT64_PREFIX_LENGTHS.join(", ")} bits (RFC 6052 section 2.2); found ${prefix}; 64:ff9b::/96 is the well-known one`;
  report("bad-value", path, message);
}

function checkPrefix(topology: Topology, name: string, prefix: string, report: Report): void {
  const path = ["nodes", name, "nat64", "prefix"];
  const network = parseNetwork(prefix);
  checkPrefixLength(prefix, path, report);
  const homes = [...topology.nodes].flatMap(([node, entry]) =>
    entry.role === "home-agent" ? [[`home prefix of ${node}`, entry.homePrefix] as const] : [],
  );
  const segments = [...topology.segments].map(([segment, { ipv6 }]) => [`segment ${segment}`, ipv6] as const);
  for (const [what, text] of [...segments, ...homes]) {
    if (text === undefined || !overlaps(network, parseNetwork(text))) continue;
    const message = `expected a prefix apart from ${what} (${text}): addresses in it stand for IPv4 ones; found ${prefix}; 64:ff9b::/96 is free`;
    report("overlap", path, message);
  }
}

function checkRouter(name: string, { nat, prefixTranslation }: RouterEntry, report: Report): void {
  if (nat !== undefined && nat !== "none") {
    const message =
      "expected no `nat` beside `nat64`, whose keys say how it translates; found both; give IPv4 segments a router of their own";
    report("unsupported", ["nodes", name, "nat"], message, "key");
  }
  if (prefixTranslation?.ipv4 !== undefined) {
    const message = "expected no 1:1 NAT beside `nat64`; found both; remove one";
    report("unsupported", ["nodes", name, "prefixTranslation", "ipv4"], message);
  }
}

function segmentProblem(
  { ipv4, ipv6 }: { readonly ipv4?: string | undefined; readonly ipv6?: string | undefined },
  pools: number,
): ((segment: string) => string) | undefined {
  if (ipv6 === undefined)
    return (segment) =>
      `expected IPv6 on ${segment}, which \`nat64\` translates; found ${ipv4 === undefined ? "none" : "IPv4 alone"}; give the segment \`ipv6\`, or the router \`nat\``;
  if (ipv4 !== undefined)
    return (segment) =>
      `expected IPv6 alone on ${segment}, behind \`nat64\`; found ${ipv4} too; remove it, or give the router \`nat\``;
  if (parseNetwork(ipv6).length > LONGEST_NETWORK)
    return (segment) =>
      `expected an IPv6 network of at most ${LONGEST_NETWORK} bits on ${segment}, with room for the addresses of translated hosts; found ${ipv6}; take a shorter prefix`;
  if (pools >= POOLS.count)
    return () => `expected at most ${POOLS.count} segments behind NAT64s; found more; divide the file`;
  return undefined;
}

/** Nodes that translate addresses in their sockets reach IPv4; all others have IPv6 alone. */
function translatesInSockets({ role }: NodeEntry): boolean {
  return role === "mobile-node" || role === "correspondent-node" || role === "stationary-node";
}

/** The interfaces with what a NAT64 means for each. */
export function behindNat64(topology: Topology, interfaces: Interfaces): Interfaces {
  const prefixes = prefixesBySegment(topology);
  if (prefixes.size === 0) return interfaces;
  return new Map(
    [...interfaces].map(([name, own]) => {
      const entry = topology.nodes.get(name);
      return [name, own.map((each) => (entry === undefined ? each : attachedTo(entry, each, prefixes)))];
    }),
  );
}

function attachedTo(
  entry: NodeEntry,
  { ipv4, ...rest }: ResolvedInterface,
  prefixes: ReadonlyMap<string, string>,
): ResolvedInterface {
  const prefix = prefixes.get(rest.segment);
  if (prefix === undefined || ipv4 === undefined) return ipv4 === undefined ? rest : { ...rest, ipv4 };
  const isServed = entry.role !== "router" || [entry.wan].flat().includes(rest.segment);
  if (!isServed) return { ...rest, ipv4, nat64: { prefix } };
  if (!translatesInSockets(entry) || rest.ipv6 === undefined) return rest;
  return { ...rest, ipv4, nat64: { prefix, source: translatedSource(networkOf(rest.ipv6), withoutLength(ipv4)) } };
}

function networkOf(address: string): string {
  return formatNetwork(parseNetwork(address));
}

/** The router's NAT64; undefined if it has none. */
export function resolveNat64(topology: Topology, name: string, entry: RouterEntry): ResolvedNat64 | undefined {
  if (entry.nat64 === undefined) return undefined;
  const networks = attachmentsOf(name, entry).flatMap(({ segment, side }) => {
    const { ipv4: pool, ipv6 } = topology.segments.get(segment) ?? {};
    return side === "lan" && pool !== undefined && ipv6 !== undefined ? [{ ipv6, pool }] : [];
  });
  return { prefix: entry.nat64.prefix, networks };
}
