/** What a run showed of its sessions: a fold over the lab's events, nothing else. */

import type { DataPath } from "@testbed/agent/control";
import type { CandidateView, LabEvent, NodeEvent, PairView } from "../lab/lab-event.ts";
import { formatEndpoint } from "../topology/model/address-text.ts";
import type { PathName, ResolvedNode, ResolvedSession } from "../topology/model/resolved.ts";
import { homeAddresses, isMobile } from "../topology/model/session-end.ts";
import { median } from "./median.ts";

/** How far a session got. */
export const SESSION_STATES = ["unregistered", "registered", "offered", "nominated", "bound", "failed"] as const;

export type SessionState = (typeof SESSION_STATES)[number];

/** Connectivity checks of one end. */
export interface CheckCounts {
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  /** Pairs and candidates of the peer that were not checked because there were too many, in the latest check list. */
  readonly cutPairs: number;
  readonly cutCandidates: number;
}

/** A check that an ICMP error refused at one end. */
export interface RefusedCheck {
  readonly node: string;
  readonly pair: PairView;
  /** Sender of the ICMP error: a router on the path, the other end, or the node itself. */
  readonly by: string;
  readonly reason: string;
}

/** Packets of one kind of traffic, both directions: sent and answered. */
export interface TrafficCounts {
  readonly sent: number;
  readonly received: number;
  readonly duplicates: number;
  /** Median round trip; absent if nothing was answered. */
  readonly roundTripMs?: number;
}

/** Everything observed of one session, seen from its `from`. */
export interface SessionObservation {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly state: SessionState;
  readonly path: PathName;
  readonly selected?: PairView;
  /** From the offer to the nomination, at `from`. */
  readonly nominatedAfterMs?: number;
  /** From the offer until the later of the two ends sends its data on the selected path. */
  readonly settledAfterMs?: number;
  readonly checks: CheckCounts;
  readonly peerChecks: CheckCounts;
  /** Of both ends, without duplicates. */
  readonly refusals: readonly RefusedCheck[];
  readonly candidates: readonly CandidateView[];
  readonly peerCandidates: readonly CandidateView[];
  /** Through both home agents, before any check. */
  readonly pingBeforeIce?: TrafficCounts;
  readonly ping?: TrafficCounts;
  readonly echo?: TrafficCounts;
  /** Median round trip of data on the final path: of the echo if there is one, otherwise of the ping. */
  readonly roundTripMs?: number;
  /** Unanswered data packets, on either path. */
  readonly lost: number;
  /** Why it made no further progress. */
  readonly failure?: string;
}

/** Folds the events of a run, up to the first timeline event, into one observation per session. */
export function observeSessions(
  sessions: readonly ResolvedSession[],
  nodes: readonly ResolvedNode[],
  events: readonly LabEvent[],
): readonly SessionObservation[] {
  const happenedAt = events.find(({ type }) => type === "timeline")?.at ?? Infinity;
  const setUp = events.filter(({ at }) => at < happenedAt);
  const homes = homeAddresses(nodes);
  const mobile = new Set(nodes.filter(isMobile).map(({ name }) => name));
  return sessions.map((session) => observeSession(session, { homes, mobile }, setUp));
}

function observeSession(
  session: ResolvedSession,
  { homes, mobile }: { readonly homes: ReadonlyMap<string, string>; readonly mobile: ReadonlySet<string> },
  events: readonly LabEvent[],
): SessionObservation {
  const seenAt = (node: string, peer: string): End => {
    const end = endOf(node, homes.get(peer), events);
    return mobile.has(node) ? end : { ...end, registered: true };
  };
  const near = seenAt(session.from, session.to);
  const far = seenAt(session.to, session.from);
  const traffic = trafficOf(session.name, events);
  const { pingBeforeIce, ping, echo } = traffic;
  const data = echo ?? ping;
  const failure = failureOf(session.name, near, far, events);
  return {
    name: session.name,
    from: session.from,
    to: session.to,
    state: stateOf(near, far),
    path: pathOf(near, data ?? pingBeforeIce),
    ...present("selected", near.nominated?.event.pair),
    ...present("nominatedAfterMs", span(near.offeredAt, near.nominated?.at)),
    ...present("settledAfterMs", span(near.offeredAt, latest(near.settledAt, far.settledAt))),
    checks: near.checks,
    peerChecks: far.checks,
    refusals: [...near.refusals, ...far.refusals],
    candidates: near.candidates,
    peerCandidates: far.candidates,
    ...traffic,
    ...present("roundTripMs", data?.roundTripMs),
    lost: [pingBeforeIce, ping, echo].reduce((sum, counts) => sum + (counts ? counts.sent - counts.received : 0), 0),
    ...present("failure", failure),
  };
}

/** The reports of one end of a session. */
interface End {
  /** No registration is outstanding. */
  readonly registered: boolean;
  readonly registrationFailure: string | undefined;
  readonly offeredAt: number | undefined;
  readonly nominated: { readonly at: number; readonly event: Extract<NodeEvent, { type: "nominated" }> } | undefined;
  readonly path: DataPath | undefined;
  readonly settledAt: number | undefined;
  readonly isBound: boolean;
  readonly failure: string | undefined;
  readonly checks: CheckCounts;
  readonly refusals: readonly RefusedCheck[];
  readonly candidates: readonly CandidateView[];
}

function endOf(node: string, peer: string | undefined, events: readonly LabEvent[]): End {
  const all = events.flatMap((entry) => (entry.type === "node" && entry.node === node ? [entry] : []));
  const mine = all.filter(({ event }) => !("peer" in event) || event.peer === peer);
  const every = <T extends NodeEvent["type"]>(
    type: T,
  ): readonly { at: number; event: Extract<NodeEvent, { type: T }> }[] =>
    mine.flatMap(({ at, event }) => (isEvent(event, type) ? [{ at, event }] : []));
  const last = <T extends NodeEvent["type"]>(type: T) => every(type).at(-1);
  return {
    registered: last("registered") !== undefined,
    registrationFailure: last("registration-failed")?.event.reason,
    offeredAt: (every("offer-sent")[0] ?? every("offer-received")[0])?.at,
    nominated: last("nominated"),
    path: last("path")?.event.path,
    settledAt: (last("path") ?? last("nominated"))?.at,
    isBound:
      last("binding-accepted") !== undefined ||
      every("binding-update-received").some(({ event }) => event.status < 128),
    failure: last("session-failed")?.event.reason,
    checks: {
      sent: every("check-sent").length,
      answered: every("check-succeeded").length,
      failed: every("check-failed").length,
      cutPairs: last("check-list")?.event.cut.pairs ?? 0,
      cutCandidates: last("check-list")?.event.cut.candidates ?? 0,
    },
    refusals: refusalsOf(
      node,
      every("check-refused").map(({ event }) => event),
    ),
    candidates: candidatesOf(mine.map(({ event }) => event)),
  };
}

function isEvent<T extends NodeEvent["type"]>(event: NodeEvent, type: T): event is Extract<NodeEvent, { type: T }> {
  return event.type === type;
}

/** Checks of a pair are repeated: equal refusals of one pair are listed once. */
function refusalsOf(
  node: string,
  events: readonly Extract<NodeEvent, { type: "check-refused" }>[],
): readonly RefusedCheck[] {
  const told = new Map(
    events.map(({ pair, by, reason }) => {
      const ends = [pair.local.address, pair.remote.address].map(formatEndpoint);
      return [[...ends, by, reason].join(" "), { node, pair, by, reason }];
    }),
  );
  return [...told.values()];
}

/**
 * Local candidates in the order of discovery, without duplicates; including peer-reflexive ones learnt from answers.
 */
function candidatesOf(events: readonly NodeEvent[]): readonly CandidateView[] {
  const found = new Map<string, CandidateView>();
  for (const event of events) {
    const isOwn = event.type === "candidate" || (event.type === "peer-reflexive" && event.side === "local");
    if (!isOwn) continue;
    const { candidate } = event;
    found.set(`${candidate.type} ${candidate.address.ip} ${candidate.address.port}`, candidate);
  }
  return [...found.values()];
}

function stateOf(near: End, far: End): SessionState {
  if (near.failure !== undefined || far.failure !== undefined) return "failed";
  if (near.nominated !== undefined) return near.isBound ? "bound" : "nominated";
  if (near.offeredAt !== undefined) return "offered";
  return near.registered && far.registered ? "registered" : "unregistered";
}

/** A path counts only if data was answered on it: the node's report is not enough. */
function pathOf(near: End, data: TrafficCounts | undefined): PathName {
  if (data !== undefined && data.received === 0) return "none";
  if (near.path === "direct") return "direct";
  return data === undefined && near.nominated === undefined ? "none" : "home-agents";
}

function failureOf(session: string, near: End, far: End, events: readonly LabEvent[]): string | undefined {
  const ended = near.failure ?? far.failure;
  if (ended !== undefined) return ended;
  if (near.nominated !== undefined) return undefined;
  const gaveUp = events.find((entry) => entry.type === "gave-up" && entry.session === session);
  const reason = near.registrationFailure ?? far.registrationFailure;
  if (reason !== undefined) return `registration failed: ${reason}`;
  return gaveUp?.type === "gave-up" ? `no ${gaveUp.waitedFor} within ${Math.round(gaveUp.afterMs)} ms` : undefined;
}

type SessionTraffic = Pick<SessionObservation, "pingBeforeIce" | "ping" | "echo">;

function trafficOf(session: string, events: readonly LabEvent[]): SessionTraffic {
  const traffic: { -readonly [Key in keyof SessionTraffic]: SessionTraffic[Key] } = {};
  for (const entry of events) {
    if (entry.type !== "traffic" || entry.session !== session) continue;
    traffic[entry.moment === "before-ice" ? "pingBeforeIce" : entry.kind] = {
      sent: entry.result.sent,
      received: entry.result.received,
      duplicates: entry.result.duplicates,
      ...present("roundTripMs", median(entry.result.rttMs.filter((rtt) => rtt !== null))),
    };
  }
  return traffic;
}

function span(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : Math.max(0, to - from);
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.max(a, b);
}

/** A property, present only if it has a value. */
function present<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value };
}
