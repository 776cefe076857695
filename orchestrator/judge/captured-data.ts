/**
 * The data of sessions as the captures show it, told as the agents tell of it: when each request was sent, when its
 * answer was sent to who asked, and over which path. It is independent of what agents report.
 */

import { DSMIPV6_PORT, echoSequence } from "@testbed/agent/control";
import type { DataPacket, LabEvent, NodeEvent } from "../lab/lab-event.ts";
import type { PathName, ResolvedNode, ResolvedSession, ResolvedTopology } from "../topology/model/resolved.ts";
import { homeAddresses } from "../topology/model/session-end.ts";
import type { FiveTuple } from "../trace/five-tuple.ts";
import { lastSighting, type TracedPacket } from "../trace/follow-packets.ts";

/** A request of a session's data. */
export interface CapturedRequest extends DataPacket {
  readonly path: CapturedPath;
  /** The path of its first answer; absent for one that was not answered. */
  readonly answerPath?: CapturedPath;
  /** How often it was answered. */
  readonly answers: number;
}

type CapturedPath = Exclude<PathName, "none">;

/** The requests of every session, in the order of sending. */
export function capturedRequests(
  { sessions, nodes }: ResolvedTopology,
  packets: readonly TracedPacket[],
): ReadonlyMap<string, readonly CapturedRequest[]> {
  const answers = answersOf(packets);
  const homes = homeAddresses(nodes);
  const homeAgents = new Set(nodes.filter(({ role }) => role === "home-agent").map(({ name }) => name));
  return new Map(
    sessions.map((session) => {
      const own = packets.filter((packet) => isRequest(packet, session, homes));
      const requests = own.map((packet) => ({
        ...requestOf(packet, session, { answers, homeAgents }),
        ...{ flow: packet.sightings[0].tuple, sequence: echoSequence(packet.content) },
      }));
      return [session.name, withUnsent(requests)];
    }),
  );
}

/**
 * What a run would have reported if agents knew only what the captures show: the events of its timeline as they are,
 * data and its path from the captures.
 */
export function capturedEvents(
  { sessions, nodes }: ResolvedTopology,
  events: readonly LabEvent[],
  requests: ReadonlyMap<string, readonly CapturedRequest[]>,
): readonly LabEvent[] {
  const homes = homeAddresses(nodes);
  const seen = sessions.flatMap((session) => {
    const own = requests.get(session.name) ?? [];
    const answered = own.flatMap(({ sentAt, answerPath }) => (answerPath ? [{ sentAt, path: answerPath }] : []));
    return [
      ...pathEvents(session.from, homes.get(session.to), own),
      ...pathEvents(session.to, homes.get(session.from), answered),
      { at: own.at(-1)?.sentAt ?? 0, type: "flow" as const, session: session.name, packets: own },
    ];
  });
  return [...events.filter(({ type }) => type === "timeline"), ...seen].toSorted((a, b) => a.at - b.at);
}

/** What an end would have reported: each packet that takes another path than the one before. */
function pathEvents(
  node: string,
  peer: string | undefined,
  packets: readonly { readonly sentAt: number; readonly path: CapturedPath }[],
): readonly LabEvent[] {
  const changes = packets.filter(({ path }, i) => path !== packets[i - 1]?.path);
  return changes.map(({ sentAt, path }): LabEvent => {
    const event: NodeEvent = { type: "path", peer: peer ?? "", path };
    return { at: sentAt, type: "node", node, event };
  });
}

interface NumberedRequest extends CapturedRequest {
  readonly flow: FiveTuple;
  readonly sequence: number | undefined;
}

/** The requests of a session, and those that never left their node. */
function withUnsent(requests: readonly NumberedRequest[]): readonly CapturedRequest[] {
  const latest = new Map<FiveTuple, NumberedRequest>();
  return requests.flatMap((request) => {
    const last = latest.get(request.flow);
    latest.set(request.flow, request);
    return [...unsentBetween(last, request), request];
  });
}

/** Requests of a flow between these two, whose numbers are missing. They are sent at a steady pace. */
function unsentBetween(last: NumberedRequest | undefined, request: NumberedRequest): readonly CapturedRequest[] {
  if (last?.sequence === undefined || request.sequence === undefined) return [];
  const steps = request.sequence - last.sequence;
  const paceMs = (request.sentAt - last.sentAt) / steps;
  return Array.from({ length: Math.max(0, steps - 1) }, (_, i) => ({
    ...{ sentAt: last.sentAt + (i + 1) * paceMs, rttMs: null, path: last.path, answers: 0 },
  }));
}

function answersOf(packets: readonly TracedPacket[]): ReadonlyMap<TracedPacket, readonly TracedPacket[]> {
  const answers = new Map<TracedPacket, TracedPacket[]>();
  for (const packet of packets) {
    if (packet.answerTo === undefined) continue;
    const there = answers.get(packet.answerTo);
    if (there === undefined) answers.set(packet.answerTo, [packet]);
    else there.push(packet);
  }
  return answers;
}

function isRequest(
  { kind, isCopy, sightings: [{ sender, tuple }] }: TracedPacket,
  { from, to }: ResolvedSession,
  homes: ReadonlyMap<string, string>,
): boolean {
  return (
    kind === "data" &&
    !isCopy &&
    sender === from &&
    tuple.protocol === "udp" &&
    tuple.source.ip === homes.get(from) &&
    tuple.destination.ip === homes.get(to)
  );
}

function requestOf(
  packet: TracedPacket,
  { from }: ResolvedSession,
  {
    answers,
    homeAgents,
  }: {
    readonly answers: ReadonlyMap<TracedPacket, readonly TracedPacket[]>;
    readonly homeAgents: ReadonlySet<ResolvedNode["name"]>;
  },
): CapturedRequest {
  const sentAt = packet.sightings[0].at;
  const arrived = (answers.get(packet) ?? []).filter((answer) => lastSighting(answer).receiver === from);
  const arrivals = arrived.map((answer) => lastSighting(answer).at);
  const [answer] = arrived;
  return {
    sentAt,
    rttMs: arrivals.length === 0 ? null : Math.min(...arrivals) - sentAt,
    path: pathOf(packet, homeAgents),
    ...(answer === undefined ? {} : { answerPath: pathOf(answer, homeAgents) }),
    answers: arrivals.length,
  };
}

function pathOf({ sightings }: TracedPacket, homeAgents: ReadonlySet<string>): CapturedPath {
  const isTunnelled = sightings.some(
    ({ tunnels, sender, receiver }) =>
      tunnels.some(({ destination }) => destination.port === DSMIPV6_PORT) ||
      homeAgents.has(sender) ||
      (receiver !== undefined && homeAgents.has(receiver)),
  );
  return isTunnelled ? "home-agents" : "direct";
}
