/** Checks that every name a topology file refers to exists, and has the right role. */

import { MOBILE_ROLES } from "@testbed/agent/control";
import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { NodeEntry, SessionEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { type Attachment, attachmentsOf } from "./attachment.ts";
import { expectNode, expectSegment } from "./expect-name.ts";
import { checkExpectations } from "./expectation-references.ts";
import { sessionName } from "./session-name.ts";
import { checkStartOrder } from "./start-order.ts";
import { checkTimeline, movesOf } from "./timeline-references.ts";

/** Reports references that do not exist; returns the attachments whose segment exists. */
export function checkReferences(topology: Topology, report: Report): Attachment[] {
  const moves = movesOf(topology);
  for (const [name, entry] of topology.nodes) checkNode({ topology, moves }, name, entry, report);
  for (const [name, { dns }] of topology.segments)
    if (dns !== undefined) expectNode(topology, dns, ["dns"], ["segments", name, "dns"], report);
  checkStartOrder(topology, report);
  checkSessions(topology, report);
  checkTimeline(topology, report);
  checkExpectations(topology, report);
  return checkAttachments(topology, report);
}

function checkAttachments(topology: Topology, report: Report): Attachment[] {
  const all = [...topology.nodes].flatMap(([name, entry]) => attachmentsOf(name, entry));
  const seen = new Set<string>();
  return all.filter(({ node, segment, path }) => {
    const key = `${node} ${segment}`;
    if (seen.has(key)) report("duplicate", path, `expected another segment; ${node} is on ${segment} already`);
    const isFirst = !seen.has(key);
    seen.add(key);
    return expectSegment(topology, segment, path, report) && isFirst;
  });
}

function checkNode(
  { topology, moves }: { readonly topology: Topology; readonly moves: ReturnType<typeof movesOf> },
  name: string,
  entry: NodeEntry,
  report: Report,
): void {
  const path = ["nodes", name];
  if ("homeAgent" in entry) expectNode(topology, entry.homeAgent, ["home-agent"], [...path, "homeAgent"], report);
  if ("stun" in entry && entry.stun !== undefined)
    expectNode(topology, entry.stun, ["home-agent", "stun-server"], [...path, "stun"], report);
  if (entry.gateway !== undefined) expectNode(topology, entry.gateway, ["router"], [...path, "gateway"], report);
  const visited = moves.flatMap(({ node, to }) => (node === name ? [to] : []));
  const own = new Set([...attachmentsOf(name, entry).map((attachment) => attachment.segment), ...visited]);
  for (const segment of Object.keys(entry.addresses ?? {})) {
    if (own.has(segment)) continue;
    const message = `expected a segment that ${name} is on (${[...own].join(", ")}); found ${segment}`;
    report("unknown-reference", [...path, "addresses", segment], message, "key");
  }
}

function speaksPlainIpv6({ nodes }: Topology, name: string): boolean {
  const entry = nodes.get(name);
  return entry?.role === "stationary-node" && entry.speaks === "ipv6";
}

function isPlain({ nodes }: Topology, name: string): boolean {
  const entry = nodes.get(name);
  return entry?.role === "stationary-node" && entry.speaks !== undefined && entry.speaks !== "m-ice";
}

function kindOf(traffic: SessionEntry["traffic"] = "echo"): string {
  return typeof traffic === "string" ? traffic : (traffic.kind ?? "echo");
}

/** An ICMP echo has one size, and no traffic has none. */
function checkPace({ traffic }: SessionEntry, path: IssuePath, report: Report): void {
  if (traffic === undefined || typeof traffic === "string") return;
  const kind = kindOf(traffic);
  for (const [key, needs] of [
    ["size", "echo"],
    ["rate", "echo, ping"],
  ] as const)
    if (traffic[key] !== undefined && !needs.split(", ").includes(kind))
      report(
        "bad-value",
        [...path, "traffic", key],
        `expected \`kind: ${needs.replace(", ", "` or `kind: ")}\` beside \`${key}\`; found ${kind}; change it, or remove \`${key}\``,
      );
}

const SESSION_ENDS = [...MOBILE_ROLES, "stationary-node"] as const;

function checkSessions(topology: Topology, report: Report): void {
  const seen = new Set<string>();
  for (const { path, entry } of topology.sessions) {
    for (const end of ["from", "to"] as const) expectNode(topology, entry[end], SESSION_ENDS, [...path, end], report);
    if (entry.from === entry.to)
      report("bad-value", [...path, "to"], `expected another node than ${entry.from}: a session has two ends`);
    else if (isPlain(topology, entry.from))
      report(
        "bad-value",
        [...path, "from"],
        `expected a node that speaks M-ICE to begin a session; found ${entry.from}, which speaks no M-ICE; let ${entry.to} begin`,
      );
    else if (speaksPlainIpv6(topology, entry.to) && kindOf(entry.traffic) === "echo")
      report(
        "bad-value",
        [...path, "to"],
        `expected a node with a program that answers echo traffic; found ${entry.to}, which is a kernel alone; write \`traffic: ping\``,
      );
    else if ([entry.from, entry.to].every((end) => topology.nodes.get(end)?.role === "stationary-node"))
      report(
        "bad-value",
        [...path, "to"],
        `expected a node with a home agent at one end of a session; found none; make ${entry.from} or ${entry.to} a mobile-node`,
      );
    checkPace(entry, path, report);
    const name = sessionName(entry.from, entry.to);
    if (seen.has(name)) report("duplicate", path, `expected each session once; found ${name} again; remove one`);
    seen.add(name);
  }
}
