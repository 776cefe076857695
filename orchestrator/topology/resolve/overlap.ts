/**
 * Checks that no node can reach two networks with the same addresses. Homes behind NATs may use the same network;
 * segments that reach each other without translation may not, and no inside network may hide one outside of it.
 */

import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { NodeEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { type Family, type Network, overlaps, parseNetwork } from "../model/address-text.ts";
import { type Attachment, translates } from "./attachment.ts";

/** Reports networks that overlap where they must not. */
export function checkOverlaps(topology: Topology, attachments: readonly Attachment[], report: Report): void {
  for (const family of [4, 6] as const) {
    const prefixes = prefixesOf(topology, attachments, family);
    prefixes.forEach((prefix, i) => {
      const before = prefixes.findIndex(
        (earlier, at) => at >= i || (overlaps(prefix.network, earlier.network) && isVisible(prefix, earlier)),
      );
      const other = before < i ? prefixes[before] : undefined;
      if (other !== undefined) report("overlap", prefix.path, overlapMessage(prefix, other));
    });
    checkSegmentsOfHosts(topology, attachments, family, report);
  }
}

/** The segments of a node that is not a router must have different networks. */
function checkSegmentsOfHosts(
  topology: Topology,
  attachments: readonly Attachment[],
  family: Family,
  report: Report,
): void {
  const networks = attachments.flatMap((attachment) => {
    const text = attachment.side === "on" ? topology.segments.get(attachment.segment)?.[`ipv${family}`] : undefined;
    return text === undefined ? [] : [{ ...attachment, text, network: parseNetwork(text) }];
  });
  for (const own of Map.groupBy(networks, ({ node }) => node).values()) {
    own.forEach(({ node, segment, path, text, network }, i) => {
      const other = own.slice(0, i).find((earlier) => overlaps(earlier.network, network));
      if (other === undefined) return;
      const message = `expected a network of its own on each segment of ${node}; found ${text} on ${segment} and ${other.text} on ${other.segment}; change one`;
      report("overlap", path, message);
    });
  }
}

/** A network, with its routing domain and the domains outside of it. */
interface Prefix {
  readonly name: string;
  readonly text: string;
  readonly network: Network;
  readonly path: IssuePath;
  /** The segment's domain first, then every domain outside of it. */
  readonly domains: ReadonlySet<string>;
}

function overlapMessage(prefix: Prefix, other: Prefix): string {
  return (
    `expected a network apart from ${other.name} (${other.text}), which the same nodes have to reach; ` +
    `found ${prefix.text}; change one: only segments that address translation hides from each other may use the same`
  );
}

/** Whether one network is in the other's domain, or inside of it. */
function isVisible(a: Prefix, b: Prefix): boolean {
  const [[homeA = ""], [homeB = ""]] = [a.domains, b.domains];
  return a.domains.has(homeB) || b.domains.has(homeA);
}

/** A domain outside of all others; no segment has such a name. */
const EVERYWHERE = "*";

function prefixesOf(topology: Topology, attachments: readonly Attachment[], family: Family): readonly Prefix[] {
  const domains = outwardDomains(topology, attachments, family);
  // Home prefixes are reached from everywhere, and nothing may lie inside of them.
  const beyond = family === 4 ? [] : [EVERYWHERE];
  const prefix = (name: string, text: string, path: IssuePath, own: readonly string[]): Prefix => {
    return { name, text, network: parseNetwork(text), path, domains: new Set([...own, ...beyond]) };
  };
  const segments = [...topology.segments].flatMap(([name, entry]): Prefix[] => {
    const text = entry[`ipv${family}`];
    if (text === undefined) return [];
    return [prefix(`segment ${name}`, text, ["segments", name, `ipv${family}`], domains.get(name) ?? [name])];
  });
  const translated = [...topology.nodes].flatMap(([name, entry]): Prefix[] => {
    const text = entry.role === "router" ? entry.prefixTranslation?.[`ipv${family}`] : undefined;
    if (entry.role !== "router" || text === undefined) return [];
    const path = ["nodes", name, "prefixTranslation", `ipv${family}`];
    const [outside = ""] = [entry.wan].flat();
    return [prefix(`outside network of ${name}`, text, path, domains.get(outside) ?? [outside])];
  });
  if (family === 4) return [...segments, ...translated];
  const everywhere = [EVERYWHERE, ...new Set([...domains.values()].flat())];
  const homes = [...topology.nodes].flatMap(([name, entry]): Prefix[] => {
    if (entry.role !== "home-agent") return [];
    return [prefix(`home prefix of ${name}`, entry.homePrefix, ["nodes", name, "homePrefix"], everywhere)];
  });
  return [...segments, ...translated, ...homes];
}

/**
 * For every segment its routing domain and those outside of it, nearest first. A domain has the name of a segment in
 * it.
 */
function outwardDomains(
  topology: Topology,
  attachments: readonly Attachment[],
  family: Family,
): ReadonlyMap<string, readonly string[]> {
  const domainOf = new Map([...topology.segments.keys()].map((segment) => [segment, segment]));
  const routers = [...topology.nodes].filter(([, entry]) => entry.role === "router");
  const segmentsOf = (name: string, side: Attachment["side"]): string[] =>
    attachments.filter((a) => a.node === name && a.side === side).map((a) => a.segment);
  const hides = (entry: NodeEntry): boolean => translates(entry, family);
  for (const [name, entry] of routers) {
    const joined = [...segmentsOf(name, "lan"), ...(hides(entry) ? [] : segmentsOf(name, "wan"))];
    merge(domainOf, joined);
  }
  const outside = new Map<string, string>();
  for (const [name, entry] of routers) {
    const [wan] = segmentsOf(name, "wan");
    for (const lan of hides(entry) && wan !== undefined ? segmentsOf(name, "lan") : [])
      outside.set(domainOf.get(lan) ?? lan, domainOf.get(wan ?? "") ?? "");
  }
  return new Map([...domainOf].map(([segment, domain]) => [segment, outwardFrom(domain, outside)]));
}

function merge(domainOf: Map<string, string>, segments: readonly string[]): void {
  const domains = new Set(segments.map((segment) => domainOf.get(segment)));
  const [target] = domains;
  if (target === undefined) return;
  for (const [segment, domain] of domainOf) if (domains.has(domain)) domainOf.set(segment, target);
}

function outwardFrom(domain: string, outside: ReadonlyMap<string, string>): readonly string[] {
  const path: string[] = [];
  for (let at: string | undefined = domain; at !== undefined && !path.includes(at); at = outside.get(at)) path.push(at);
  return path;
}
