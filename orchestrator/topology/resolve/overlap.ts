/**
 * Checks that no node can reach two networks with the same addresses. Homes behind NATs may use the same network;
 * segments that reach each other without translation may not, and no inside network may hide one outside of it.
 */

import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { NodeEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { type Family, overlaps, parseNetwork } from "../model/address-text.ts";
import { type Attachment, translates } from "./attachment.ts";

/** Reports networks that overlap where they must not. */
export function checkOverlaps(topology: Topology, attachments: readonly Attachment[], report: Report): void {
  for (const family of [4, 6] as const) {
    const prefixes = prefixesOf(topology, attachments, family);
    prefixes.forEach((prefix, i) => {
      const other = prefixes
        .slice(0, i)
        .find(
          (earlier) => isVisible(prefix, earlier) && overlaps(parseNetwork(prefix.text), parseNetwork(earlier.text)),
        );
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
  const segments = attachments.flatMap((attachment) => {
    const text = attachment.side === "on" ? topology.segments.get(attachment.segment)?.[`ipv${family}`] : undefined;
    return text === undefined ? [] : [{ ...attachment, text }];
  });
  segments.forEach(({ node, segment, path, text }, i) => {
    const other = segments
      .slice(0, i)
      .find((earlier) => earlier.node === node && overlaps(parseNetwork(earlier.text), parseNetwork(text)));
    if (other === undefined) return;
    const message = `expected a network of its own on each segment of ${node}; found ${text} on ${segment} and ${other.text} on ${other.segment}; change one`;
    report("overlap", path, message);
  });
}

/** A network, with its routing domain and the domains outside of it. */
interface Prefix {
  readonly name: string;
  readonly text: string;
  readonly path: IssuePath;
  /** The segment's domain first, then every domain outside of it. */
  readonly domains: readonly string[];
}

function overlapMessage(prefix: Prefix, other: Prefix): string {
  return (
    `expected a network apart from ${other.name} (${other.text}), which the same nodes have to reach; ` +
    `found ${prefix.text}; change one: only segments that address translation hides from each other may use the same`
  );
}

/** Whether one network is in the other's domain, or inside of it. */
function isVisible(a: Prefix, b: Prefix): boolean {
  const [homeA = "", homeB = ""] = [a.domains[0], b.domains[0]];
  return a.domains.includes(homeB) || b.domains.includes(homeA);
}

function prefixesOf(topology: Topology, attachments: readonly Attachment[], family: Family): readonly Prefix[] {
  const domains = outwardDomains(topology, attachments, family);
  const segments = [...topology.segments].flatMap(([name, entry]): Prefix[] => {
    const text = entry[`ipv${family}`];
    const path = ["segments", name, `ipv${family}`];
    return text === undefined ? [] : [{ name: `segment ${name}`, text, path, domains: domains.get(name) ?? [name] }];
  });
  const translated = [...topology.nodes].flatMap(([name, entry]): Prefix[] => {
    const text = entry.role === "router" ? entry.prefixTranslation?.[`ipv${family}`] : undefined;
    if (entry.role !== "router" || text === undefined) return [];
    const path = ["nodes", name, "prefixTranslation", `ipv${family}`];
    const outside = domains.get(entry.wan) ?? [entry.wan];
    return [{ name: `outside network of ${name}`, text, path, domains: outside }];
  });
  if (family === 4) return [...segments, ...translated];
  const homes = [...topology.nodes].flatMap(([name, entry]): Prefix[] => {
    if (entry.role !== "home-agent") return [];
    const path = ["nodes", name, "homePrefix"];
    return [
      {
        name: `home prefix of ${name}`,
        text: entry.homePrefix,
        path,
        domains: [...new Set([...domains.values()].flat())],
      },
    ];
  });
  return [
    ...segments,
    ...translated,
    ...homes.map((home) => ({ ...home, domains: ["everywhere", ...home.domains] })),
  ].map((prefix) => ({ ...prefix, domains: [...prefix.domains, "everywhere"] }));
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
