/** How a lab is at a moment: a fold over what has happened in it, as data and as text. */

import type { LabEvent, PairView } from "../lab/lab-event.ts";
import type { PathName, ResolvedNode, ResolvedTopology } from "../topology/model/resolved.ts";
import { homeAddresses } from "../topology/model/session-end.ts";
import { candidateText, describeEvent } from "./progress.ts";
import type { Paint } from "./table.ts";
import { formatColumns } from "./text-table.ts";

export interface LabStatus {
  readonly runId: string;
  readonly topology: string;
  readonly runtime: string;
  /** Since the lab was begun. */
  readonly ageMs: number;
  readonly nodes: readonly NodeStatus[];
  readonly sessions: readonly SessionStatus[];
  /** What was found of the NATs and firewalls, a line each. */
  readonly middleboxes: readonly string[];
}

export interface NodeStatus {
  readonly name: string;
  readonly role: ResolvedNode["role"];
  /** `segment address`, and the home address of a mobile node. */
  readonly addresses: readonly string[];
  /** `starting`, `up`, or of a host's program `ended with exit code 1`. */
  readonly state: string;
}

export interface SessionStatus {
  readonly name: string;
  readonly path: PathName;
  /** The pair in use, seen from the session's `from`. */
  readonly pair?: PairView;
  /** Why it has none. */
  readonly failure?: string;
}

/** `now`: milliseconds since 1970, as the events' times are. */
export function statusOf(topology: ResolvedTopology, events: readonly LabEvent[], now: number): LabStatus {
  const [started] = events.flatMap((event) => (event.type === "started" ? [event] : []));
  return {
    runId: started?.runId ?? "",
    topology: topology.name,
    runtime: started?.runtime ?? "",
    ageMs: now - (started?.at ?? now),
    nodes: topology.nodes.map((node) => nodeStatus(node, events)),
    sessions: sessionStatuses(topology, events),
    middleboxes: events.flatMap((event) => (isVerification(event) ? (describeEvent(event) ?? []) : [])),
  };
}

function isVerification({ type }: LabEvent): boolean {
  return type === "nat-verification" || type === "inbound-verification" || type === "not-verified";
}

function nodeStatus(node: ResolvedNode, events: readonly LabEvent[]): NodeStatus {
  const { name, role, interfaces } = node;
  const ofSegments = interfaces.flatMap(({ segment, ipv4, ipv6 }) =>
    [ipv4, ipv6].flatMap((address) => (address === undefined ? [] : [`${segment} ${address.split("/")[0] ?? ""}`])),
  );
  const home = "homeAddress" in node ? [`home ${node.homeAddress}`] : [];
  const isReady = events.some((event) => event.type === "node-ready" && event.node === name);
  const exited = events.findLast((event) => event.type === "host-exited" && event.node === name);
  const state =
    exited?.type === "host-exited" ? `ended with exit code ${exited.exitCode}` : isReady ? "up" : "starting";
  return { name, role, addresses: [...home, ...ofSegments], state };
}

function sessionStatuses({ sessions, nodes }: ResolvedTopology, events: readonly LabEvent[]): readonly SessionStatus[] {
  const homes = homeAddresses(nodes);
  return sessions.map(({ name, from, to }) => {
    const peer = homes.get(to);
    const isRegistered = events.some((event) => event.type === "traffic" && event.session === name);
    const before: SessionStatus = { name, path: isRegistered ? "home-agents" : "none" };
    return events.reduce((status, entry): SessionStatus => {
      if (entry.type !== "node" || entry.node !== from || !("peer" in entry.event) || entry.event.peer !== peer)
        return status;
      return afterEvent(status, entry.event);
    }, before);
  });
}

function afterEvent(status: SessionStatus, event: Extract<LabEvent, { type: "node" }>["event"]): SessionStatus {
  const { name, path } = status;
  switch (event.type) {
    case "nominated":
      return { name, path, pair: event.pair };
    case "path":
      return { name, path: event.path, ...(event.pair === undefined ? {} : { pair: event.pair }) };
    case "session-failed":
      return { name, path, failure: event.reason };
    default:
      return status;
  }
}

/** The status for a terminal, line by line. */
export function formatStatus(status: LabStatus, paint: Paint): readonly string[] {
  const { runId, runtime, ageMs, nodes, sessions, middleboxes } = status;
  const sessionRows = sessions.map(({ name, path, pair, failure }) => [
    name,
    path,
    pair === undefined ? (failure ?? "") : pairText(pair),
  ]);
  return [
    `${paint.strong(runId)} on ${runtime}, for ${Math.round(ageMs / 1000)} s`,
    "",
    ...formatColumns(nodes.map(({ name, role, state, addresses }) => [name, role, state, addresses.join(", ")])),
    ...(sessionRows.length === 0 ? [] : ["", ...formatColumns(sessionRows)]),
    ...(middleboxes.length === 0 ? [] : ["", ...middleboxes]),
  ];
}

function pairText({ local, remote }: PairView): string {
  return `${candidateText(local)} ↔ ${candidateText(remote)}`;
}
