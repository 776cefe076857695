/** Resolves names, fills in defaults, assigns addresses and routes, and reports every inconsistency. */

import { inFileOrder, type TopologyIssue } from "../file/issue.ts";
import { createIssueList, type Report } from "../file/issue-list.ts";
import type { SessionEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import type { ResolvedSegment, ResolvedSession, ResolvedTopology } from "../model/resolved.ts";
import { assignAddresses } from "./addressing.ts";
import { assignHomeAddresses } from "./home-address.ts";
import { interfaceNames } from "./interface-names.ts";
import { checkIsolation } from "./isolation.ts";
import { imposeLinks } from "./links.ts";
import { checkMtus } from "./mtus.ts";
import { checkOverlaps } from "./overlap.ts";
import { checkProgramKinds, type ProgramKind } from "./program-kinds.ts";
import { checkReachability, checkReachabilityOf } from "./reachability.ts";
import { NO_FILES, type ReferencedFiles } from "./referenced-files.ts";
import { checkReferences } from "./references.ts";
import { resolveExpectations } from "./resolve-expectations.ts";
import { resolveFlows } from "./resolve-flows.ts";
import { behindNat64, withPools } from "./resolve-nat64.ts";
import { resolveNode } from "./resolve-node.ts";
import { assignRoutes } from "./routing.ts";
import { sessionName } from "./session-name.ts";
import { resolveTimeline, topologyAfter } from "./timeline.ts";
import { movesOf } from "./timeline-references.ts";
import { uplinksOf } from "./uplinks.ts";
import { interfacesOf, placeOn, visitsOf } from "./visits.ts";
import { withInsideHosts } from "./with-inside-hosts.ts";

export interface ResolveOptions {
  /** Replaces the file's seed. */
  readonly seed?: number;
  /** What the file refers to; nothing when absent. */
  readonly referenced?: ReferencedFiles;
  /** What hosts may be started from; either, but not both in one lab, when absent. */
  readonly programs?: ProgramKind;
}

export type ResolveResult =
  | { readonly ok: true; readonly topology: ResolvedTopology }
  | { readonly ok: false; readonly issues: readonly TopologyIssue[] };

/** The seed of a file without one. */
const DEFAULT_SEED = 1;

/**
 * Resolves a topology. The result depends on the file and the seed alone. Invalid entries are missing from it; what
 * depends on them is not reported again.
 */
export function resolveTopology(written: Topology, options: ResolveOptions = {}): ResolveResult {
  const { issues, report } = createIssueList(written);
  const topology = withPools(written, report);
  const names = interfaceNames([...topology.segments.keys()]);
  const attachments = checkReferences(topology, report);
  const everywhere = [...attachments, ...visitsOf(topology, attachments)];
  const addressed = behindNat64(topology, assignAddresses(topology, everywhere, names, report));
  const impaired = imposeLinks(topology, everywhere, addressed, report);
  const interfaces = interfacesOf(impaired, attachments);
  checkOverlaps(topology, attachments, report);
  checkIsolation(topology, attachments, report);
  checkMtus(topology, everywhere, report);
  const routes = assignRoutes(topology, attachments, interfaces, report);
  const seed = options.seed ?? topology.seed ?? DEFAULT_SEED;
  const homeAddresses = assignHomeAddresses(topology, report);
  const referenced = options.referenced ?? NO_FILES;
  const uplinks = uplinksOf(topology, attachments, interfaces);
  const context = { topology, seed, interfaces, routes, uplinks, homeAddresses, referenced, report };
  const nodes = [...topology.nodes].map(([name, entry]) => resolveNode(context, name, entry));
  checkProgramKinds(topology, nodes, options.programs, report);
  const places = { topology, attachments, everywhere: impaired };
  const resolved: ResolvedTopology = {
    name: topology.name,
    summary: topology.summary,
    seed,
    segments: resolveSegments(written, names),
    nodes,
    sessions: resolveSessions(topology),
    flows: resolveFlows(topology, report),
    timeline: resolveTimeline({
      ...{ topology, nodes, everywhere: impaired, seed, report },
      placeOn: (node, to) => placeOn(places, node, to),
    }),
    expectations: resolveExpectations(topology),
  };
  if (issues.length === 0 && topology.broken.size === 0) checkReachable(resolved, topology, report);
  const known = withInsideHosts(resolved, topology, report);
  return issues.length === 0 ? { ok: true, topology: known } : { ok: false, issues: inFileOrder(issues) };
}

/** Checks reachability at the start, and of each node that moves from where it is then: its move changes no other way. */
function checkReachable(resolved: ResolvedTopology, topology: Topology, report: Report): void {
  checkReachability(resolved, topology, report);
  for (const { event, node, path } of movesOf(topology))
    checkReachabilityOf(topologyAfter(resolved, event), node, (code, _, message) => report(code, path, message));
}

function resolveSegments(topology: Topology, names: ReadonlyMap<string, string>): readonly ResolvedSegment[] {
  return [...topology.segments].map(([name, { ipv4, ipv6, isolated, mtu }]) => ({
    name,
    interfaceName: names.get(name) ?? name,
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6 }),
    ...(isolated === true ? { isIsolated: true } : {}),
    ...(mtu === undefined ? {} : { mtuOctets: mtu }),
  }));
}

function resolveSessions(topology: Topology): readonly ResolvedSession[] {
  return topology.sessions.map(({ entry: { from, to, traffic } }) => ({
    name: sessionName(from, to),
    from,
    to,
    ...resolveTraffic(traffic),
  }));
}

/** What runs over a session, and its pace. */
function resolveTraffic(traffic: SessionEntry["traffic"] = "echo"): Pick<ResolvedSession, "traffic" | "pace"> {
  if (typeof traffic === "string") return { traffic };
  const { kind = "echo", size, rate } = traffic;
  const pace = { ...(size === undefined ? {} : { sizeBytes: size }), ...(rate === undefined ? {} : { perSec: rate }) };
  return { traffic: kind, pace };
}
