/** Plays the timeline of a topology: every session sends data while the events happen at their times. */

import type { PauseCommand, TimelineStep } from "../plan/plan.ts";
import type { PathName } from "../topology/model/resolved.ts";
import type { AgentLink, LinkFlow } from "./agent-link.ts";
import type { DataPacket, LabEvent } from "./lab-event.ts";
import type { LabTimeouts } from "./lab-timeouts.ts";
import { isDataBack, isDataGone, isDirect, quiescentSince, type SessionEnds } from "./quiescence.ts";
import type { Recorder } from "./recorder.ts";
import type { LiveSession } from "./session-flow.ts";

/** What a timeline needs from the lab. */
export interface TimelineLab {
  readonly recorder: Recorder;
  readonly timeouts: LabTimeouts;
  link(node: string): AgentLink;
  /** Waits `ms` milliseconds; rejects when the run is over. */
  wait(ms: number): Promise<void>;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** The path predicted for a session after the last event. */
  predictedPath(session: string): PathName | undefined;
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

/**
 * Plays all steps and waits until every session is quiescent or times out. Rejects when a node fails or the run is
 * over.
 */
export async function playTimeline(
  steps: readonly TimelineStep[],
  sessions: readonly LiveSession[],
  lab: TimelineLab,
): Promise<void> {
  const startedAt = lab.now();
  const data = sessions.map((session) => startData(session, lab));
  const happenings = await playSteps(steps, startedAt, lab);
  const happenedAt = Math.max(...happenings);
  await Promise.all(data.map((entry) => awaitQuiescence(entry, happenedAt, pausedNodes(steps), lab)));
  // Nodes report the end of their flows, and of the run.
  for (const node of pausedNodes(steps)) await lab.link(node).pause({ type: "resume" });
  await Promise.all(data.flatMap(({ flow }) => (flow === undefined ? [] : [flow.stop()])));
}

/** The nodes that are paused when the last step is carried out. */
function pausedNodes(steps: readonly TimelineStep[]): ReadonlySet<string> {
  const paused = new Set<string>();
  for (const { node, command } of steps) {
    if (command.type === "pause") paused.add(node);
    else if (command.type === "resume") paused.delete(node);
  }
  return paused;
}

function startData(session: LiveSession, { recorder, timeouts }: TimelineLab): SessionData {
  const packets: DataPacket[] = [];
  if (session.spec.traffic === "none") return { session, packets };
  const timeoutMs = timeouts.replyMs + Math.ceil(session.roundTrip.addedMs);
  const flow = session.from.startFlow({ ...FLOW, timeoutMs, to: session.toHome }, (news) => {
    for (const packet of news) packets.push(packet);
    recorder.add({ type: "flow", session: session.spec.name, packets: news });
  });
  return { session, flow, packets };
}

/**
 * Begins each step at its time. Those of one node follow one another; one that lasts, such as a reboot, delays no other
 * node. Resolves to the times at which they took effect.
 */
async function playSteps(
  steps: readonly TimelineStep[],
  startedAt: number,
  lab: TimelineLab,
): Promise<readonly number[]> {
  const underWay = new Map<string, Promise<number>>();
  const happenings: Promise<number>[] = [];
  for (const step of steps) {
    const waitMs = startedAt + step.atMs - lab.now();
    if (waitMs > 0) await lab.wait(waitMs);
    const before = underWay.get(step.node) ?? Promise.resolve(0);
    const happening = before.then(() => carryOut(step, lab));
    // Whoever awaits all of them hears of a failure.
    happening.catch(() => undefined);
    underWay.set(step.node, happening);
    happenings.push(happening);
  }
  return Promise.all(happenings);
}

async function carryOut({ name, node, text, command }: TimelineStep, lab: TimelineLab): Promise<number> {
  const link = lab.link(node);
  const at =
    command.type === "pause" || command.type === "resume"
      ? await pause(link, command, lab)
      : await link.change(command);
  lab.recorder.addAt(at, { type: "timeline", name, node, text });
  return at;
}

/** What a node that goes on reports comes after the time of the event, what it was about to report before its pause. */
async function pause(link: AgentLink, command: PauseCommand, lab: TimelineLab): Promise<number> {
  const at = lab.recorder.now();
  await link.pause(command);
  return at;
}

/**
 * In a quiescent session data is answered or, where the model predicts no path, is not. Where it predicts a direct
 * path, a session on another one is not quiescent: ends that fell back to their home agents retry later.
 */
async function awaitQuiescence(
  { session, flow, packets }: SessionData,
  from: number,
  paused: ReadonlySet<string>,
  lab: TimelineLab,
): Promise<void> {
  const { spec, fromHome, toHome } = session;
  // It sends nothing whose loss could be waited for.
  if (paused.has(spec.from)) return;
  const { recorder, timeouts } = lab;
  const path = lab.predictedPath(spec.name);
  const ends: SessionEnds = [
    { node: spec.from, peer: toHome },
    { node: spec.to, peer: fromHome },
  ];
  const isQuiescent = (events: readonly LabEvent[]): boolean => {
    if (path === "none") return flow === undefined || isDataGone(packets, from);
    if (path === "direct" && !isDirect(events, ends)) return false;
    const since = quiescentSince(events, ends, from);
    return since !== undefined && (flow === undefined || isDataBack(packets, since));
  };
  if (!(await recorder.until(isQuiescent, timeouts.quiescenceMs)))
    recorder.add({ type: "gave-up", session: spec.name, waitedFor: "quiescence", afterMs: timeouts.quiescenceMs });
}
