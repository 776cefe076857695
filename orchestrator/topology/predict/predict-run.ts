/**
 * Predicts a whole run: every session as set up, and after every event of the timeline. A direct path goes on until an
 * event breaks it, whatever else that breaks. Time counts in one place: how long its ends need to notice.
 */

import { agentSettings } from "@testbed/agent/control";
import type { PathName, ResolvedEvent, ResolvedSession, ResolvedTopology, TimelineAction } from "../model/resolved.ts";
import { isSessionEnd, type SessionEnd } from "../model/session-end.ts";
import { topologyAfter } from "../resolve/timeline.ts";
import type { DirectPath } from "./direct-path.ts";
import { homePathObstacle, type Prediction, setUp } from "./predict.ts";

/** The predictions of a run in the order of the timeline: all sessions as set up, then all after each event. */
export function predictRun(topology: ResolvedTopology): readonly Prediction[] {
  const bySession = topology.sessions.map((session) => follow(topology, session));
  return [undefined, ...topology.timeline].flatMap((_, i) => bySession.flatMap((own) => own[i] ?? []));
}

/** A session in the model, as set up or after an event. */
interface Moment {
  readonly topology: ResolvedTopology;
  readonly prediction: Prediction;
  readonly path?: Path;
}

/** A direct path in use. */
interface Path {
  readonly direct: DirectPath;
  readonly prediction: Prediction;
  /** Since when its ends hear nothing over it, on the timeline's axis; absent while they do. */
  readonly silentSinceMs?: number;
}

/** One session as set up, and after each event. */
function follow(topology: ResolvedTopology, session: ResolvedSession): readonly Prediction[] {
  const start = begin(topology, session);
  let moment = start;
  const later = topology.timeline.map((event, i): Prediction => {
    const events = topology.timeline.slice(0, i + 1);
    const untilMs = topology.timeline[i + 1]?.atMs ?? Infinity;
    const then = topologyAfter(topology, event.name);
    moment = afterDeparture(then, session, events) ?? afterEvent(moment, { event, then, untilMs, session });
    return { ...moment.prediction, after: event.name };
  });
  return [start.prediction, ...later];
}

/** The session as its ends set it up, or restart it, in this topology. */
function begin(topology: ResolvedTopology, session: ResolvedSession): Moment {
  const { prediction, direct } = setUp(topology, session);
  return { topology, prediction, ...(direct === undefined ? {} : { path: { direct, prediction } }) };
}

interface Change {
  readonly event: ResolvedEvent;
  readonly then: ResolvedTopology;
  /** When the next event happens, on the timeline's axis. */
  readonly untilMs: number;
  readonly session: ResolvedSession;
}

function afterEvent(before: Moment, { event: { actions, atMs }, then, untilMs, session }: Change): Moment {
  const restarted = (): Moment => begin(then, session);
  const isBegun = ({ type, node }: TimelineAction): boolean =>
    endsOf(session).includes(node) && (type === "move" || type === "readdress" || type === "restart");
  if (actions.some(isBegun)) return restarted();
  const noticeMs = noticedAfterMs(then, session);
  const { silentSinceMs } = before.path ?? {};
  const isGivenUp = silentSinceMs !== undefined && atMs - silentSinceMs >= givenUpAfterMs(then, session);
  const { path } = isGivenUp ? begin(before.topology, session) : before;
  if (path === undefined) return restarted();
  const { direct, prediction } = path;
  switch (direct.change(then, actions)) {
    case "carries":
      return { topology: then, prediction, path: { direct, prediction } };
    case "remapped":
      return restarted();
    case "silent": {
      const since = path.silentSinceMs ?? atMs;
      if (untilMs - since < noticeMs)
        return {
          topology: then,
          prediction: unnoticed(session, noticeMs),
          path: { direct, prediction, silentSinceMs: since },
        };
      const other = restarted();
      // A pair in doubt is asked further, unless there is another one.
      return other.path === undefined ? { ...other, path: { direct, prediction, silentSinceMs: since } } : other;
    }
  }
}

/** A session ends with the deregistration of one end; there is no new offer. Undefined while it goes on. */
function afterDeparture(
  topology: ResolvedTopology,
  session: ResolvedSession,
  events: readonly ResolvedEvent[],
): Moment | undefined {
  const ends = endsOf(session);
  const own = events
    .flatMap(({ actions }) => actions)
    .filter(({ type, node }) => ends.includes(node) && (type === "deregister" || type === "move"));
  if (!own.some(({ type }) => type === "deregister")) return undefined;
  const predicted = (path: PathName, why: string): Moment => ({
    topology,
    prediction: { session: session.name, path, why: [why] },
  });
  const absent = ends.find((end) => own.findLast(({ node }) => node === end)?.type === "deregister");
  if (absent !== undefined) return predicted("none", `none: ${absent} has left, and its home agent knows no way.`);
  const obstacle = homePathObstacle(topology, session);
  if (obstacle !== undefined) return predicted("none", obstacle);
  return predicted(
    "home-agents",
    "home-agents: the session ended when an end left, and nobody has offered another one.",
  );
}

function unnoticed({ name }: ResolvedSession, noticeMs: number): Prediction {
  const why = `none: the pair carries nothing, and its ends notice only after ${noticeMs / 1000} s; the next event comes before.`;
  return { session: name, path: "none", why: [why] };
}

/** The sender of data leaves a pair that carries none any more (SPEC 2.14): half a second, and one for checks. */
const DATA_NOTICE_MS = 1500;

/** How long a pair must be silent until data takes another path; Infinity where nobody asks whether it is alive. */
function noticedAfterMs(topology: ResolvedTopology, session: ResolvedSession): number {
  const isSending =
    session.traffic !== "none" && checkingEnds(topology, session).some(({ name }) => name === session.from);
  return Math.min(isSending ? DATA_NOTICE_MS : Infinity, givenUpAfterMs(topology, session));
}

/** How long a pair must be silent until an end gives it up; Infinity where neither sends consent checks. */
function givenUpAfterMs(topology: ResolvedTopology, session: ResolvedSession): number {
  return Math.min(...checkingEnds(topology, session).map(({ agent }) => agentSettings(agent).timers.consentTimeoutMs));
}

/** The ends that send consent checks. */
function checkingEnds({ nodes }: ResolvedTopology, session: ResolvedSession): readonly SessionEnd[] {
  return nodes
    .filter(isSessionEnd)
    .filter(({ name, agent }) => endsOf(session).includes(name) && agent.isLite !== true)
    .filter(({ agent }) => agentSettings(agent).timers.consentIntervalMs > 0);
}

function endsOf({ from, to }: ResolvedSession): readonly string[] {
  return [from, to];
}
