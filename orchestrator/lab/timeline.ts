/** Plays the timeline of a topology: every session sends data while the events happen at their times. */

import type { Deed, PauseCommand, TimelineStep } from "../plan/plan.ts";
import { TestbedError } from "../support/errors.ts";
import { describeMoment } from "../topology/describe/describe-event.ts";
import type { EventMoment, PathName } from "../topology/model/resolved.ts";
import type { AgentLink, LinkFlow } from "./agent-link.ts";
import { isTriggered } from "./event-trigger.ts";
import type { DataPacket, LabEvent } from "./lab-event.ts";
import type { LabTimeouts } from "./lab-timeouts.ts";
import { isDataBack, isDataGone, isDirect, quiescentSince, type SessionEnds } from "./quiescence.ts";
import type { Recorder } from "./recorder.ts";
import type { LiveSession } from "./session-flow.ts";

/** What a timeline needs from the lab. */
export interface TimelineLab {
  readonly recorder: Recorder;
  readonly timeouts: LabTimeouts;
  /** The events that have not happened yet: what each waits for, by its name. */
  readonly awaited: Map<string, string>;
  link(node: string): AgentLink;
  /** Waits `ms` milliseconds; rejects when the run is over. */
  wait(ms: number): Promise<void>;
  /** Waits until `isThere` holds for the events so far; rejects when the run is over. */
  until(isThere: (events: readonly LabEvent[]) => boolean): Promise<void>;
  /** The path predicted for a session after an event, or after the last one, by what happened so far. */
  predictedPath(session: string, event?: string): PathName | undefined;
}

/** The data of a session while the timeline is played. */
interface SessionData {
  readonly session: LiveSession;
  /** Absent for a session without traffic. */
  readonly flow?: LinkFlow;
  readonly packets: DataPacket[];
}

/** Fifty packets a second each way: a loss is located to within 20 ms. */
const FLOW = { intervalMs: 20, sizeBytes: 200 } as const;

/** A timeline that is being played. Times are milliseconds since 1970. */
interface Play {
  readonly lab: TimelineLab;
  readonly startedAt: number;
  readonly data: readonly SessionData[];
  readonly happenings: Map<string, Promise<Happening>>;
  /** In the order in which they were carried out. */
  readonly carriedOut: TimelineStep[];
}

/** A step that was carried out: when it took effect, and when it was done. */
interface Happening {
  readonly at: number;
  readonly doneAt: number;
}

/**
 * Plays all steps and waits until every session is quiescent or times out. Rejects when a node fails or the run is
 * over.
 */
export async function playTimeline(
  steps: readonly TimelineStep[],
  sessions: readonly LiveSession[],
  lab: TimelineLab,
): Promise<void> {
  const startedAt = lab.recorder.now();
  const data = sessions.map((session) => startData(session, lab));
  const play: Play = { lab, startedAt, data, happenings: new Map(), carriedOut: [] };
  await playSteps(steps, play);
  const happened = await Promise.all(play.happenings.values());
  await awaitAllQuiescent(play, Math.max(...happened.map(({ at }) => at)));
  // Nodes report the end of their flows, and of the run.
  for (const node of pausedNodes(play.carriedOut)) await lab.link(node).pause({ type: "resume" });
  await Promise.all(data.flatMap(({ flow }) => (flow === undefined ? [] : [flow.stop()])));
}

/** Waits until all sessions are quiescent after an event, or after the last; returns those that are not in time. */
async function awaitAllQuiescent(
  { data, carriedOut, lab }: Play,
  from: number,
  event?: string,
): Promise<readonly string[]> {
  const paused = pausedNodes(carriedOut);
  const late = await Promise.all(
    data.map(async (entry) =>
      (await awaitQuiescence(entry, { from, paused, path: lab.predictedPath(entry.session.spec.name, event) }, lab))
        ? []
        : [entry],
    ),
  );
  return late.flat().map(({ session }) => session.spec.name);
}

/** The nodes that are paused when the last step is carried out. */
function pausedNodes(steps: readonly TimelineStep[]): ReadonlySet<string> {
  const paused = new Set<string>();
  for (const { node, command } of steps.flatMap(({ deeds }) => deeds)) {
    if (command.type === "pause") paused.add(node);
    else if (command.type === "resume") paused.delete(node);
  }
  return paused;
}

function startData(session: LiveSession, { recorder, timeouts }: TimelineLab): SessionData {
  const packets: DataPacket[] = [];
  if (session.spec.traffic === "none") return { session, packets };
  const timeoutMs = timeouts.replyMs + Math.ceil(session.roundTrip.addedMs);
  const { sizeBytes = FLOW.sizeBytes, perSec } = session.spec.pace ?? {};
  const intervalMs = perSec === undefined ? FLOW.intervalMs : Math.round(1000 / perSec);
  const flow = session.from.startFlow({ intervalMs, sizeBytes, timeoutMs, to: session.toHome }, (news) => {
    for (const packet of news) packets.push(packet);
    recorder.add({ type: "flow", session: session.spec.name, packets: news });
  });
  return { session, flow, packets };
}

/**
 * Begins each step at its time. Those of one node follow one another; one that lasts, such as a reboot, delays no other
 * node.
 */
async function playSteps(steps: readonly TimelineStep[], play: Play): Promise<void> {
  const { lab, happenings } = play;
  const underWay = new Map<string, Promise<unknown>>();
  for (const step of steps) {
    const before = Promise.all(step.deeds.flatMap(({ node }) => underWay.get(node) ?? []));
    lab.awaited.set(step.name, describeMoment(step.when));
    const happening = happen(step, before, play);
    // Whoever awaits all of them hears of a failure.
    for (const promise of [before, happening]) promise.catch(() => undefined);
    for (const { node } of step.deeds) underWay.set(node, happening);
    happenings.set(step.name, happening);
  }
  await Promise.all(happenings.values());
}

/** `before` are the steps of the same nodes that this one follows. */
async function happen(step: TimelineStep, before: Promise<unknown>, play: Play): Promise<Happening> {
  const { lab, carriedOut } = play;
  const waitMs = (await dueAt(step.when, play)) - lab.recorder.now();
  if (waitMs > 0) await lab.wait(waitMs);
  await before;
  const at = await carryOut(step, play);
  carriedOut.push(step);
  lab.awaited.delete(step.name);
  return { at, doneAt: lab.recorder.now() };
}

/** Resolves, once it is known, to when a moment is. */
async function dueAt({ after, on, plusMs }: EventMoment, play: Play): Promise<number> {
  const since = after === undefined ? undefined : await followedAt(after, play);
  if (on === undefined) return (since ?? play.startedAt) + plusMs;
  const { lab, data } = play;
  const ends = endsOf(data.find(({ session }) => session.spec.name === on.session)?.session);
  await lab.until((events) => isTriggered(events, on, ends, since));
  return lab.recorder.now() + plusMs;
}

/** When an event was done, or its effect had settled. */
async function followedAt({ event, isSettled }: NonNullable<EventMoment["after"]>, play: Play): Promise<number> {
  const happening = play.happenings.get(event);
  if (happening === undefined) throw new Error(`the timeline has no ${event} before an event that follows it`);
  const { at, doneAt } = await happening;
  if (!isSettled) return doneAt;
  const late = await awaitAllQuiescent(play, at, event);
  if (late.length === 0) return play.lab.recorder.now();
  const { quiescenceMs } = play.lab.timeouts;
  throw new TestbedError(
    "timed-out",
    `expected the effect of ${event} to settle within ${quiescenceMs / 1000} s, since another event waits for it; ${late.join(", ")} did not`,
    { hint: "the results say how far it came; `plus` without `settled` waits for a time" },
  );
}

async function carryOut({ name, text, deeds }: TimelineStep, play: Play): Promise<number> {
  const { lab } = play;
  const times = await Promise.all(deeds.map((deed) => carryOutDeed(deed, play)));
  const at = Math.min(...times);
  lab.recorder.addAt(at, { type: "timeline", name, nodes: deeds.map(({ node }) => node), text });
  return at;
}

/** Returns when it took effect. */
async function carryOutDeed({ node, command }: Deed, { lab, data }: Play): Promise<number> {
  const link = lab.link(node);
  switch (command.type) {
    case "pause":
    case "resume":
      return pause(link, command, lab);
    case "restart": {
      const at = await link.change(command);
      const own = data.filter(({ session }) => session.spec.from === node);
      await Promise.all(own.map(({ session }) => connectAgain(session, at, lab)));
      return at;
    }
    default:
      return link.change(command);
  }
}

/** A program that was started anew knows no session: it offers its own again, once it is registered. */
async function connectAgain(
  { spec, from, toHome, mobileEnds }: LiveSession,
  since: number,
  lab: TimelineLab,
): Promise<void> {
  const { recorder, timeouts } = lab;
  const isRegistered = (events: readonly LabEvent[]): boolean =>
    events.some(
      (entry) =>
        entry.type === "node" && entry.node === spec.from && entry.event.type === "registered" && entry.at >= since,
    );
  const mayConnect = !mobileEnds.includes(spec.from) || (await recorder.until(isRegistered, timeouts.registrationMs));
  if (mayConnect) from.send({ type: "connect", peer: toHome });
}

/** What a node that goes on reports comes after the time of the event, what it was about to report before its pause. */
async function pause(link: AgentLink, command: PauseCommand, lab: TimelineLab): Promise<number> {
  const at = lab.recorder.now();
  await link.pause(command);
  return at;
}

/** What a session has to be quiescent after. */
interface Upheaval {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly paused: ReadonlySet<string>;
  /** As predicted. */
  readonly path: PathName | undefined;
}

/**
 * In a quiescent session data is answered or, where the model predicts no path, is not. Where it predicts a direct
 * path, a session on another one is not quiescent: ends that fell back to their home agents retry later. False for one
 * that is not in time.
 */
async function awaitQuiescence(
  { session, flow, packets }: SessionData,
  { from, paused, path }: Upheaval,
  lab: TimelineLab,
): Promise<boolean> {
  const { spec } = session;
  // It sends nothing whose loss could be waited for.
  if (paused.has(spec.from)) return true;
  const { recorder, timeouts } = lab;
  const ends = endsOf(session);
  const isQuiescent = (events: readonly LabEvent[]): boolean => {
    if (path === "none") return flow === undefined || isDataGone(packets, from);
    if (path === "direct" && !isDirect(events, ends)) return false;
    const since = quiescentSince(events, ends, from);
    return since !== undefined && (flow === undefined || isDataBack(packets, since));
  };
  if (await recorder.until(isQuiescent, timeouts.quiescenceMs)) return true;
  recorder.add({ type: "gave-up", session: spec.name, waitedFor: "quiescence", afterMs: timeouts.quiescenceMs });
  return false;
}

function endsOf(session: LiveSession | undefined): SessionEnds {
  if (session === undefined) return [];
  const { spec, fromHome, toHome } = session;
  return [
    { node: spec.from, peer: toHome },
    { node: spec.to, peer: fromHome },
  ];
}
