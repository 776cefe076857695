/**
 * Checks that each event of a timeline is of one kind, has a unique name, and refers to nodes and segments that exist.
 */

import { MOBILE_ROLES } from "@testbed/agent/control";
import type { IssuePath } from "../file/issue.ts";
import type { Report } from "../file/issue-list.ts";
import type { TimelineEventEntry } from "../file/schema.ts";
import type { Topology } from "../file/topology.ts";
import { checkMoments, checkOrder } from "./check-moments.ts";
import { COMPANIONS, type EventKind, eventName, KIND_NAMES, kindOf, listed, nodesOf } from "./event-kinds.ts";
import { expectNode, expectSegment } from "./expect-name.ts";
import { inOrder } from "./timeline-order.ts";

export function checkTimeline(topology: Topology, report: Report): void {
  const seen = new Set<string>();
  for (const { path, entry } of topology.timeline) {
    const kind = kindOf(entry);
    if (kind === undefined) {
      reportKind(entry, path, report);
      continue;
    }
    const name = eventName(entry);
    if (seen.has(name))
      report("duplicate", path, `expected a name of its own for each event; found ${name} again; add \`name\``);
    seen.add(name);
    checkCompanions(entry, kind, path, report);
    checkTarget(topology, entry, path, report);
  }
  checkMoments(topology, report);
  if (seen.size < topology.timeline.length) return;
  const places = new Map<string, string>();
  for (const given of inOrder(topology))
    if (given.entry.move !== undefined) checkDestination(topology, places, given, report);
  checkOrder(topology, report);
  checkPauses(topology, report);
}

/** The moves to segments that exist, in order of time. */
export function movesOf(topology: Topology): readonly Move[] {
  return inOrder(topology).flatMap(({ name, path, entry: { move = [], to = [] } }) => {
    const segments = listed(to).filter((segment) => topology.segments.has(segment));
    if (segments.length === 0) return [];
    const nodes = listed(move).filter((node) => isMovable(topology, node));
    return nodes.map((node) => ({ event: name, node, to: segments, path: [...path, "to"] }));
  });
}

/** A move of a node to segments that exist. */
export interface Move {
  readonly event: string;
  readonly node: string;
  readonly to: readonly string[];
  /** Its path in the file. */
  readonly path: IssuePath;
}

/** Nodes that may be on other segments later. */
const MOVABLE = [...MOBILE_ROLES, "host"] as const;

function isMovable({ nodes }: Topology, name: string): boolean {
  const role = nodes.get(name)?.role;
  return MOVABLE.some((movable) => movable === role);
}

/** `places` has the segments that nodes have moved to so far. */
function checkDestination(
  topology: Topology,
  places: Map<string, string>,
  { entry: { move = [], to }, path }: Topology["timeline"][number],
  report: Report,
): void {
  if (to === undefined) {
    report(
      "missing",
      [...path, "to"],
      "expected `to` beside `move`; found none; name the segment that it moves to",
      "key",
    );
    return;
  }
  const at = (i: number): IssuePath => [...path, "to", ...(typeof to === "string" ? [] : [i])];
  const segments = listed(to);
  segments.forEach((segment, i) => {
    if (segments.indexOf(segment) < i)
      report("duplicate", at(i), `expected another segment; found ${segment} twice; remove one`);
  });
  if (!segments.map((segment, i) => expectSegment(topology, segment, at(i), report)).every(Boolean)) return;
  const there = segments.join(" and ");
  for (const name of new Set(listed(move))) {
    const node = topology.nodes.get(name);
    const start = node !== undefined && "on" in node ? listed(node.on).join(" and ") : undefined;
    if ((places.get(name) ?? start) === there)
      report("bad-value", [...path, "to"], `expected another segment; ${name} is on ${there} already`);
    places.set(name, there);
  }
}

function reportKind(entry: TimelineEventEntry, path: IssuePath, report: Report): void {
  const found = KIND_NAMES.filter((kind) => entry[kind] !== undefined);
  const expected = `expected one of ${KIND_NAMES.join(", ")}`;
  if (found.length === 0) report("missing", path, `${expected}; found none; say what happens`);
  else report("bad-value", path, `${expected}; found ${found.join(" and ")}; make two events of it`);
}

/** Keys that belong to another kind of event. */
function checkCompanions(entry: TimelineEventEntry, kind: EventKind, path: IssuePath, report: Report): void {
  for (const [owner, companions] of COMPANIONS) {
    for (const key of companions) {
      if (owner === kind || entry[key] === undefined) continue;
      const message = `expected \`${key}\` only beside \`${owner}\`; found it beside \`${kind}\`; remove it`;
      report("bad-value", [...path, key], message, "key");
    }
  }
}

function checkTarget(topology: Topology, entry: TimelineEventEntry, path: IssuePath, report: Report): void {
  if (entry.move !== undefined) checkMoved(topology, entry.move, [...path, "move"], report);
  if (entry.deregister !== undefined)
    expectNode(topology, entry.deregister, MOBILE_ROLES, [...path, "deregister"], report);
  if (entry.reboot !== undefined) expectNode(topology, entry.reboot, REBOOTED, [...path, "reboot"], report);
  if (entry.forget !== undefined) expectNode(topology, entry.forget, ["router"], [...path, "forget"], report);
  if (entry.change !== undefined) checkChange(topology, entry, path, report);
  if (entry.readdress !== undefined) checkReaddress(topology, entry.readdress, entry, path, report);
  for (const key of ["pause", "resume", "kill", "restart"] as const)
    if (entry[key] !== undefined) checkProcess(topology, entry[key], [...path, key], report);
  if (entry.ports !== undefined && entry.reboot !== undefined && topology.nodes.get(entry.reboot)?.role !== "router")
    report(
      "bad-value",
      [...path, "ports"],
      `expected \`ports\` only for a router; ${entry.reboot} is none; remove it`,
      "key",
    );
}

function checkMoved(topology: Topology, move: string | readonly string[], path: IssuePath, report: Report): void {
  const names = listed(move);
  names.forEach((name, i) => {
    const at = typeof move === "string" ? path : [...path, i];
    const isSound = expectNode(topology, name, MOVABLE, at, report);
    if (isSound && names.indexOf(name) < i)
      report("duplicate", at, `expected another node; found ${name} twice; remove one`);
  });
}

const REBOOTED = ["router", "home-agent", "stun-server"] as const;

/** Nodes whose process does their work: a router forwards in the kernel, whatever its process does. */
const PAUSABLE = [...MOBILE_ROLES, "stationary-node", "home-agent", "stun-server"] as const;

function checkProcess(topology: Topology, name: string, path: IssuePath, report: Report): void {
  const entry = topology.nodes.get(name);
  if (entry?.role === "router") {
    const message = `expected a node whose process does its work; ${name} is a router, whose kernel forwards all the same; \`reboot\` it, or break its \`link\``;
    report("unsupported", path, message);
    return;
  }
  if (!expectNode(topology, name, PAUSABLE, path, report)) return;
  if (entry?.role === "stationary-node" && entry.speaks === "ipv6")
    report(
      "unsupported",
      path,
      `expected a node with a program; ${name} is a kernel alone; break its \`link\` instead`,
    );
}

function checkChange(
  topology: Topology,
  { change = "", nat, firewall }: TimelineEventEntry,
  path: IssuePath,
  report: Report,
): void {
  if (!expectNode(topology, change, ["router"], [...path, "change"], report)) return;
  if (nat === undefined && firewall === undefined) {
    const message =
      "expected `nat` or `firewall` beside `change`; found neither; say how the router behaves from then on";
    report("missing", path, message, "key");
  }
  const entry = topology.nodes.get(change);
  const hasNat = entry?.role === "router" && entry.nat !== undefined && entry.nat !== "none";
  if (nat !== undefined && (nat === "none" || !hasNat)) {
    const message = `expected address translation before and after: routes outside depend on it; found none ${hasNat ? "after" : "before"}; write two topologies`;
    report("unsupported", [...path, "nat"], message);
  }
}

/** Addresses of other nodes are known to the rest of the lab: a plain router's are next hops. */
function checkReaddress(
  topology: Topology,
  node: string,
  { addresses, overlap }: TimelineEventEntry,
  path: IssuePath,
  report: Report,
): void {
  if (!expectNode(topology, node, [...MOBILE_ROLES, "router"], [...path, "readdress"], report)) return;
  const entry = topology.nodes.get(node);
  if (entry?.role !== "router") return;
  if (entry.nat === undefined || entry.nat === "none") {
    const message = `expected a router with a NAT: the address of ${node} is a next hop of others; found none; break its link instead`;
    report("unsupported", [...path, "readdress"], message);
  }
  if (addresses?.ipv6 !== undefined)
    report(
      "unsupported",
      [...path, "addresses", "ipv6"],
      `expected only \`ipv4\` for a router: its IPv6 address is a next hop of others; remove it`,
    );
  if (overlap !== undefined)
    report(
      "unsupported",
      [...path, "overlap"],
      "expected `overlap` only for mobile and correspondent nodes: a NAT has one address; remove it",
      "key",
    );
}

/** What has a node stand still, by what ends that. */
const HALTS = {
  resume: { by: "pause", halted: "paused", remedy: "let it go on before" },
  restart: { by: "kill", halted: "killed", remedy: "restart it before" },
} as const;

type Halt = (typeof HALTS)[keyof typeof HALTS];

/** Reports nodes that go on without having been paused, and whatever else happens to a halted one, which cannot obey. */
function checkPauses(topology: Topology, report: Report): void {
  const halts = new Map<string, Halt>();
  for (const { path, entry } of inOrder(topology)) {
    const kind = kindOf(entry);
    if (kind === undefined) continue;
    for (const node of nodesOf(entry)) {
      const halt = halts.get(node);
      const problem = haltProblem(kind, node, halt);
      if (problem !== undefined) report("bad-value", [...path, kind], problem);
      if (halt !== undefined && endsHalt(kind, halt)) halts.delete(node);
      else if (kind === "pause") halts.set(node, HALTS.resume);
      else if (kind === "kill") halts.set(node, HALTS.restart);
    }
  }
}

function endsHalt(kind: EventKind, halt: Halt): boolean {
  return (kind === "resume" || kind === "restart") && halt === HALTS[kind];
}

function haltProblem(kind: EventKind, node: string, halt: Halt | undefined): string | undefined {
  if (kind === "resume" && halt?.by !== "pause")
    return `expected a paused node; ${node} ${halt === undefined ? "runs" : "is killed"}; pause it earlier, or remove this`;
  if (halt === undefined || endsHalt(kind, halt)) return undefined;
  const [again, advice] = kind === halt.by ? ["already", "remove one"] : ["then", halt.remedy];
  return `expected a node that runs; ${node} is ${halt.halted} ${again}; ${advice}`;
}
