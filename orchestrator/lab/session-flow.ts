/** The steps of one session in a lab, and how long each may take. */

import type { RoundTripImpairment } from "../topology/model/path-impairments.ts";
import type { ResolvedSession } from "../topology/model/resolved.ts";
import type { AgentLink, TrafficRequest } from "./agent-link.ts";
import { any, createEventMatcher, type EventMatcher, every } from "./event-matcher.ts";
import type { NodeEvent, TrafficMoment } from "./lab-event.ts";
import type { LabTimeouts } from "./lab-timeouts.ts";
import type { Recorder } from "./recorder.ts";

/** A session with everything that its steps need. */
export interface LiveSession {
  readonly spec: ResolvedSession;
  readonly from: AgentLink;
  /** The ends that register with a home agent. */
  readonly mobileEnds: readonly string[];
  /** The addresses by which both ends identify each other: home addresses, or a stationary node's address. */
  readonly fromHome: string;
  readonly toHome: string;
  /** The most that link impairments do to a round trip between the two. */
  readonly roundTrip: RoundTripImpairment;
  /** How many other sessions do the same at the same time, on the same machine. */
  readonly rivals: number;
  readonly timeouts: LabTimeouts;
}

/** Round trips that a step may need in turn, excluding retransmissions. */
const ROUND_TRIPS_PER_STEP = 10;
/** On lossy links retransmissions back off: a step may take this much longer. */
const LOSSY_FACTOR = 4;

const PING_BEFORE_ICE = { count: 3, intervalMs: 10 } as const;
const PING = { count: 5, intervalMs: 5 } as const;
const ECHO = { count: 20, intervalMs: 2, sizeBytes: 200 } as const;

/** Waits until all ends that have home agents are registered. False if a registration fails. */
export async function awaitRegistration(session: LiveSession, recorder: Recorder): Promise<boolean> {
  const ofEnds = (type: NodeEvent["type"]): readonly EventMatcher[] =>
    session.mobileEnds.map((end) => createEventMatcher((node, event) => node === end && event.type === type));
  const isRegistered = every(ofEnds("registered"));
  const isOver = any([isRegistered, ...ofEnds("registration-failed")]);
  await untilOrTimeout(session, recorder, isOver, session.timeouts.registrationMs, "registration");
  return isRegistered(recorder.events);
}

/** Verifies the path through both home agents before any check. */
export async function pingBeforeIce(session: LiveSession, recorder: Recorder): Promise<void> {
  await traffic(session, recorder, "before-ice", { type: "ping", to: session.toHome, ...PING_BEFORE_ICE });
}

/** Makes the offer and waits until both ends send their data on its final path, or one of them reports failure. */
export async function connect(session: LiveSession, recorder: Recorder): Promise<void> {
  const { spec, from, fromHome, toHome, timeouts } = session;
  const ofEnds = (isIt: (event: NodeEvent) => boolean): readonly EventMatcher[] =>
    [
      { end: spec.from, peer: toHome },
      { end: spec.to, peer: fromHome },
    ].map(({ end, peer }) =>
      createEventMatcher((node, event) => node === end && "peer" in event && event.peer === peer && isIt(event)),
    );
  const isFailed = any(ofEnds(({ type }) => type === "session-failed"));
  const isNominated = every(ofEnds(({ type }) => type === "nominated"));
  const isSettled = every(ofEnds(endsTheWay));

  from.send({ type: "connect", peer: toHome });
  await untilOrTimeout(session, recorder, any([isFailed, isNominated]), timeouts.nominationMs, "nomination");
  if (isFailed(recorder.events) || !isNominated(recorder.events)) return;
  await untilOrTimeout(session, recorder, any([isFailed, isSettled]), timeouts.bindingMs, "binding");
}

/** Sends the topology's traffic over the session's current path. */
export async function exchangeData(session: LiveSession, recorder: Recorder): Promise<void> {
  const to = session.toHome;
  const { sizeBytes = ECHO.sizeBytes, perSec } = session.spec.pace ?? {};
  const pace = perSec === undefined ? {} : { intervalMs: Math.round(1000 / perSec) };
  const ping = (): Promise<void> =>
    traffic(session, recorder, "after-nomination", { type: "ping", to, ...PING, ...pace });
  const echo = (): Promise<void> =>
    traffic(session, recorder, "after-nomination", { type: "echo", to, ...ECHO, ...pace, sizeBytes });
  switch (session.spec.traffic) {
    case "none":
      return;
    case "ping":
      return ping();
    case "echo":
      await Promise.all([ping(), echo()]);
  }
}

/** No path event follows when relayed candidates win: the data is already on the home agents' path. */
function endsTheWay(event: NodeEvent): boolean {
  if (event.type === "path") return event.path === "direct";
  return event.type === "nominated" && (event.pair.local.type === "relayed" || event.pair.remote.type === "relayed");
}

/** Traffic to send; its timeout follows from the session. */
type Untimed<Request> = Request extends unknown ? Omit<Request, "timeoutMs"> : never;

async function traffic(
  { spec, from, roundTrip, rivals, timeouts }: LiveSession,
  recorder: Recorder,
  moment: TrafficMoment,
  request: Untimed<TrafficRequest>,
): Promise<void> {
  const timeoutMs = timeouts.replyMs + Math.ceil(roundTrip.addedMs) + timeouts.perRivalMs * rivals;
  const result = await from.request({ ...request, timeoutMs });
  recorder.add({ type: "traffic", session: spec.name, kind: request.type, moment, result });
}

async function untilOrTimeout(
  { spec: { name }, roundTrip, rivals, timeouts }: LiveSession,
  recorder: Recorder,
  isOver: EventMatcher,
  usualTimeoutMs: number,
  waitedFor: string,
): Promise<void> {
  const { addedMs, lossRate } = roundTrip;
  const aloneTimeoutMs = usualTimeoutMs * (lossRate > 0 ? LOSSY_FACTOR : 1) + ROUND_TRIPS_PER_STEP * addedMs;
  const timeoutMs = aloneTimeoutMs + timeouts.perRivalMs * rivals;
  if (await recorder.until(isOver, timeoutMs)) return;
  recorder.add({ type: "gave-up", session: name, waitedFor, afterMs: timeoutMs });
}
