/**
 * Predicts a whole run: every session as set up, and after every event of the timeline. A direct path goes on until an
 * event breaks it, whatever else that breaks. Time counts in one place: how long its ends need to notice.
 */

import { agentSettings } from "@testbed/agent/control";
import type { PathName, ResolvedEvent, ResolvedSession, ResolvedTopology } from "../model/resolved.ts";
import { isSessionEnd } from "../model/session-end.ts";
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

function afterEvent(before: Moment, { event: { action, atMs }, then, untilMs, session }: Change): Moment {
  const restarted = (): Moment => begin(then, session);
  if (action.type === "move" && endsOf(session).includes(action.node)) return restarted();
  const noticeMs = noticedAfterMs(then, session);
  const { silentSinceMs } = before.path ?? {};
  const isGivenUp = silentSinceMs !== undefined && atMs - silentSinceMs >= noticeMs;
  const { path } = isGivenUp ? begin(before.topology, session) : before;
  if (path === undefined) return restarted();
  const { direct, prediction } = path;
  switch (direct.change(then, action)) {
    case "carries":
      return { topology: then, prediction, path: { direct, prediction } };
    case "remapped":
      return restarted();
    case "silent": {
      const since = path.silentSinceMs ?? atMs;
      const isNoticed = untilMs - since >= noticeMs;
      return {
        topology: then,
        prediction: isNoticed ? restarted().prediction : unnoticed(session, noticeMs),
        path: { direct, prediction, silentSinceMs: since },
      };
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
    .map(({ action }) => action)
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

/** How long a pair must be silent until an end gives it up; Infinity where neither sends consent checks. */
function noticedAfterMs({ nodes }: ResolvedTopology, session: ResolvedSession): number {
  const checking = nodes
    .filter(isSessionEnd)
    .filter(({ name, agent }) => endsOf(session).includes(name) && agent.isLite !== true);
  const timers = checking.map(({ agent }) => agentSettings(agent).timers);
  return Math.min(
    ...timers.map(({ consentIntervalMs, consentTimeoutMs }) => (consentIntervalMs > 0 ? consentTimeoutMs : Infinity)),
  );
}

function endsOf({ from, to }: ResolvedSession): readonly string[] {
  return [from, to];
}
