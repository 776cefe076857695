/** One run of a lab, from creation to removal, and the record of it. */

import { setTimeout as sleep } from "node:timers/promises";
import type { NodeSpec, Plan } from "../plan/plan.ts";
import type { ProbePlan } from "../plan/probe-plan.ts";
import type { DestroyReport, RunIdentity, Runtime, RuntimeEnvironment, RuntimeLab } from "../runtime/runtime.ts";
import { createDeferred, type Deferred } from "../support/deferred.ts";
import { TestbedError } from "../support/errors.ts";
import { roundTripImpairment } from "../topology/model/path-impairments.ts";
import type { ResolvedSession, ResolvedTopology } from "../topology/model/resolved.ts";
import { homeAddresses, isMobile as isMobileNode } from "../topology/model/session-end.ts";
import type { Prediction } from "../topology/predict/predict.ts";
import { predictRun } from "../topology/predict/predict-run.ts";
import { asHappened } from "../topology/resolve/as-happened.ts";
import { topologyAfter } from "../topology/resolve/timeline.ts";
import { AgentLink, type LinkObserver } from "./agent-link.ts";
import { type CaptureStreams, createCaptureStreams, MOST_CAPTURE_OCTETS } from "./capture-streams.ts";
import { happenedEvents } from "./happened-events.ts";
import { createHostPrograms, type HostPrograms } from "./host-programs.ts";
import type { LabEvent } from "./lab-event.ts";
import { describeError, type LabRecord } from "./lab-record.ts";
import type { LabTimeouts } from "./lab-timeouts.ts";
import { type LiveLab, liveLab } from "./live-lab.ts";
import { measureLifetimes } from "./measure-lifetimes.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { awaitRegistration, connect, exchangeData, type LiveSession, pingBeforeIce } from "./session-flow.ts";
import { createStopwatch, type Stopwatch } from "./stopwatch.ts";
import { playTimeline, type TimelineLab } from "./timeline.ts";
import { type VerificationLab, verifyRouters } from "./verify-routers.ts";

export interface LabRequest {
  readonly runtime: Runtime;
  readonly identity: RunIdentity;
  readonly topology: ResolvedTopology;
  readonly plan: Plan;
  /** How NATs and firewalls are verified. */
  readonly probes: ProbePlan;
  /** What the model predicts for each session; a timeline waits for it. */
  readonly predictions: readonly Prediction[];
  /** Limits the run to verification, without or with mapping lifetimes; a full run when absent. */
  readonly only?: "middleboxes" | "behaviour-and-lifetimes";
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /** In place of data and timeline: called once the sessions have their paths; the lab lasts until it resolves. */
  readonly stay?: (lab: LiveLab) => Promise<void>;
  /** For everything up to the end of the data; of a lab that stays, until the sessions have their paths. */
  readonly timeoutMs: number;
  /** For each step. */
  readonly timeouts: LabTimeouts;
  /** Do not remove the lab at the end. */
  readonly keep: boolean;
  readonly onEvent: (event: LabEvent) => void;
}

/** Runs a lab. Never throws for what happens in it: the record carries the error, and removal has always begun. */
export async function runLab(request: LabRequest): Promise<LabRecord> {
  const recorder = createRecorder(() => performance.timeOrigin + performance.now(), request.onEvent);
  const stopwatch = createStopwatch(() => performance.now(), recorder.add);
  const { identity, runtime, signal } = request;
  const ending = new AbortController();
  const over = AbortSignal.any([signal, ending.signal]);
  const lab = runtime.createLab(identity, over);
  const links = new Map<string, AgentLink>();
  const expectedOfHosts = request.topology.expectations.filter((each) => "host" in each);
  const state: LabState = {
    request,
    over,
    startedAt: performance.now(),
    lab,
    recorder,
    stopwatch,
    captures: createCaptureStreams(() => recorder.add({ type: "captures-cut", keptOctets: MOST_CAPTURE_OCTETS })),
    links,
    hosts: createHostPrograms(request.plan.programs, expectedOfHosts, { recorder, lab, link: linkOf(links) }),
    failure: createDeferred(),
    awaited: new Map(),
    isStanding: false,
    environment: undefined,
  };
  recorder.add({ type: "started", runId: identity.runId, topology: identity.topology, runtime: runtime.name });
  const error = await nameFault(runtime, await firstError(state));
  if (error !== undefined) {
    ending.abort(error);
    recorder.add({ type: "error", ...describeError(error) });
  }
  if (error === undefined && !request.keep) await state.hosts.askToEnd();
  if (error !== undefined || !request.keep) state.hosts.end();
  const removal = leaveLab(state, error);
  return { ...recordOf(state), error, removal };
}

/** A node that fails, or a run that does not end, where the runtime itself does not work: that is the error then. */
async function nameFault(runtime: Runtime, error: unknown): Promise<unknown> {
  const isSymptom = error instanceof TestbedError && (error.code === "node-failed" || error.code === "timed-out");
  return (isSymptom ? await runtime.fault?.() : undefined) ?? error;
}

/** State shared by the steps of a run. */
interface LabState {
  readonly request: LabRequest;
  /** Aborted when nothing more may be created. */
  readonly over: AbortSignal;
  /** By the monotonic clock. */
  readonly startedAt: number;
  readonly lab: RuntimeLab;
  readonly recorder: Recorder;
  readonly stopwatch: Stopwatch;
  readonly captures: CaptureStreams;
  readonly links: Map<string, AgentLink>;
  readonly hosts: HostPrograms;
  /** Rejects with the first failure of any node. */
  readonly failure: Deferred<never>;
  /** Events of the timeline that have not happened yet: what each waits for, by its name. */
  readonly awaited: Map<string, string>;
  /** The lab is its user's, see `LabRequest.stay`. */
  isStanding: boolean;
  environment: RuntimeEnvironment | undefined;
}

/** The whole run; each step waits only for what it needs. */
async function conduct(state: LabState): Promise<void> {
  const { recorder, stopwatch, request } = state;
  await stopwatch.phase("create", () => createEverything(state));
  const verifying = verifyRouters(request.probes, verificationLab(state));
  // A mismatch also ends the run while another step waits for packets that the NAT or firewall drops.
  verifying.catch(state.failure.reject);
  await stopwatch.phase("start", () => startNodes(state));
  if (request.only !== undefined) return verifyOnly(state, verifying);
  beginRegistrations(state);

  const all = liveSessions(state);
  const registered = await stopwatch.phase("registration", () =>
    filterAsync(all, (session) => awaitRegistration(session, recorder)),
  );
  await stopwatch.phase("before-ice", () => each(registered, (session) => pingBeforeIce(session, recorder)));
  await stopwatch.phase("middleboxes", () => verifying);
  if (request.plan.programs.length > 0) await stopwatch.phase("programs", () => state.hosts.start());
  await stopwatch.phase("nomination", () => each(registered, (session) => connect(session, recorder)));
  if (request.stay !== undefined) return stayUp(state, request.stay);
  await stopwatch.phase("data", () => each(registered, (session) => exchangeData(session, recorder)));
  if (request.plan.timeline.length > 0)
    await stopwatch.phase("timeline", () => playTimeline(request.plan.timeline, registered, timelineLab(state)));
  if (state.hosts.hasToWait) await stopwatch.phase("hosts", () => state.hosts.awaitEnd(leftMs(state)));
  if (!request.keep) await stopwatch.phase("finish", () => finishNodes(state));
}

/** The lab of a user: it lasts until they have done with it, and every node is asked for its last report. */
async function stayUp(state: LabState, stay: NonNullable<LabRequest["stay"]>): Promise<void> {
  state.isStanding = true;
  state.recorder.add({ type: "standing" });
  await stay(liveLab(state));
  await state.stopwatch.phase("finish", () => finishNodes(state));
}

/** What is left of the run's time before its nodes have to be told to finish. */
function leftMs({ request, startedAt }: LabState): number {
  return Math.max(0, request.timeoutMs - (performance.now() - startedAt) - request.timeouts.finishMs);
}

/** The end of a run that only verifies NATs and firewalls. */
async function verifyOnly(state: LabState, verifying: Promise<void>): Promise<void> {
  const { stopwatch, request } = state;
  await stopwatch.phase("middleboxes", () => verifying);
  if (request.only === "behaviour-and-lifetimes")
    await stopwatch.phase("lifetimes", () => measureLifetimes(request.probes, verificationLab(state)));
  await stopwatch.phase("finish", () => finishNodes(state));
}

function verificationLab({ recorder, links, request: { timeouts } }: LabState): VerificationLab {
  return { recorder, timeouts, link: (node) => links.get(node) };
}

function timelineLab({ recorder, links, over, request, awaited }: LabState): TimelineLab {
  const { timeouts, topology, plan } = request;
  return {
    ...{ recorder, timeouts, awaited },
    link: linkOf(links),
    wait: (ms) => sleep(ms, undefined, { signal: over }),
    async until(isThere) {
      while (!(await recorder.until(isThere, OVER_CHECK_MS))) over.throwIfAborted();
    },
    predictedPath(name, event) {
      const known = asHappened(topology, happenedEvents(recorder.events));
      const [timeline, predictions] =
        known === topology ? [plan.timeline, request.predictions] : [known.timeline, predictRun(known)];
      const last = event ?? timeline.at(-1)?.name;
      return predictions.find(({ session, after }) => session === name && after === last)?.path;
    },
  };
}

/** How often who waits for an event looks whether the run is over. */
const OVER_CHECK_MS = 500;

function linkOf(links: ReadonlyMap<string, AgentLink>): (node: string) => AgentLink {
  return (node) => {
    const link = links.get(node);
    if (link === undefined) throw new Error(`expected node ${node} to be started`);
    return link;
  };
}

async function createEverything(state: LabState): Promise<void> {
  const { runtime, plan } = state.request;
  state.over.throwIfAborted();
  const [swept] = await Promise.all([runtime.sweep(), runtime.checkPlan?.(programsToStart(state))]);
  for (const line of swept) state.recorder.add({ type: "swept", line });
  // Only the report needs the description of the machine.
  runtime.environment().then(
    (environment) => (state.environment = environment),
    () => undefined,
  );
  state.over.throwIfAborted();
  await state.lab.createSegments(plan.segments);
  state.over.throwIfAborted();
  state.recorder.add({ type: "segments-made", segments: plan.segments.map(({ name }) => name) });
  await state.lab.createNodes(plan.nodes.map(onCommand));
  state.recorder.add({ type: "nodes-made", nodes: plan.nodes.map(({ name }) => name) });
}

/** A run that only verifies starts no program. */
function programsToStart({ request: { plan, only } }: LabState): Plan {
  return only === undefined ? plan : { ...plan, programs: [] };
}

/**
 * Has a mobile node wait for the command to register: a registration sent before a router or home agent on its path is
 * up is lost, and repeated only after a second.
 */
function onCommand(spec: NodeSpec): NodeSpec {
  return isMobile(spec) ? { ...spec, setup: { ...spec.setup, startsOn: "command" } } : spec;
}

function beginRegistrations({ request, links }: LabState): void {
  for (const spec of request.plan.nodes) if (isMobile(spec)) links.get(spec.name)?.send({ type: "start" });
}

function isMobile({ setup }: NodeSpec): boolean {
  return setup.role.type === "mobile-node" || setup.role.type === "correspondent-node";
}

async function startNodes(state: LabState): Promise<void> {
  const { plan, timeouts } = state.request;
  const { nodes } = plan;
  const readyTimeoutMs = timeouts.readyMs + timeouts.readyPerNodeMs * nodes.length;
  await each(nodes, async ({ name }) => {
    const handle = await state.lab.startNode(name);
    const observer: LinkObserver = {
      event: (at, event) => state.recorder.addAt(at, { type: "node", node: name, event }),
      links: (reported) => state.recorder.add({ type: "links", node: name, links: reported }),
      captureData: (segment, data) => state.captures.append(name, segment, data),
      captureDone: (segment, packets, droppedByKernel) => {
        state.captures.complete(name, segment, droppedByKernel);
        state.recorder.add({ type: "captured", node: name, segment, packets, droppedByKernel });
      },
    };
    const link = new AgentLink(handle, observer, timeouts);
    state.links.set(name, link);
    link.failed.catch(state.failure.reject);
    await Promise.race([link.ready, neverReady(link, readyTimeoutMs)]);
    state.recorder.add({ type: "node-ready", node: name });
  });
}

async function neverReady(link: AgentLink, timeoutMs: number): Promise<never> {
  await sleep(timeoutMs, undefined, { ref: false });
  throw link.failure(`expected it to be ready within ${timeoutMs / 1000} s of its start, and it is not`);
}

function liveSessions({ request, links }: LabState): readonly LiveSession[] {
  const homes = homeAddresses(request.topology.nodes);
  const mobile = new Set(request.topology.nodes.filter(isMobileNode).map(({ name }) => name));
  const { topology, timeouts } = request;
  const later = topology.timeline.map(({ name }) => topologyAfter(topology, name));
  const impairments = [topology, ...later].map(({ nodes }) => roundTripImpairment(nodes));
  // On any path, data crosses each link at most twice in either direction.
  const roundTrip = {
    addedMs: 2 * Math.max(...impairments.map(({ addedMs }) => addedMs)),
    lossRate: impairments[0]?.lossRate ?? 0,
  };
  const rivals = request.topology.sessions.length - 1;
  return request.topology.sessions.map((spec: ResolvedSession) => {
    const from = links.get(spec.from);
    const fromHome = homes.get(spec.from);
    const toHome = homes.get(spec.to);
    if (from === undefined || fromHome === undefined || toHome === undefined)
      throw new Error(`session ${spec.name} between nodes that have no home address`);
    const mobileEnds = [spec.from, spec.to].filter((name) => mobile.has(name));
    return { spec, from, mobileEnds, fromHome, toHome, roundTrip, rivals, timeouts };
  });
}

/** Nodes of a lab that will serve another run stay up. */
async function finishNodes(state: LabState): Promise<void> {
  const { links, lab, request } = state;
  const { finishMs } = request.timeouts;
  const ending = lab.release === undefined ? "finish" : "reset";
  for (const link of links.values()) link.end(ending);
  await each([...links.values()], async (link) => {
    const late = sleep(finishMs, link, { ref: false });
    if ((await Promise.race([link.finished, late])) !== undefined)
      throw link.failure(`expected its last report within ${finishMs / 1000} s of being told to ${ending}`);
  });
  requireCaptures(state);
}

/** A capture that ended before its node did would show less than was sent. */
function requireCaptures({ request, captures, links }: LabState): void {
  for (const { name, setup } of request.plan.nodes) {
    if (!setup.capture) continue;
    const missing = setup.interfaces.find(({ segment }) => !captures.isComplete(name, segment));
    if (missing === undefined) continue;
    const message = `expected its capture of ${missing.segment} to last to the end, and it ended early`;
    throw links.get(name)?.failure(message) ?? new Error(message);
  }
}

/** Runs the flow against everything that can end it early; the outcome of steps still in progress is then ignored. */
async function firstError(state: LabState): Promise<unknown> {
  const { signal } = state.request;
  const over = new AbortController();
  const conducted = conduct(state);
  conducted.catch(() => undefined);
  try {
    await Promise.race([conducted, state.failure.promise, aborted(signal, over.signal), timeout(state, over.signal)]);
    return undefined;
  } catch (error) {
    return signal.aborted ? signal.reason : error;
  } finally {
    over.abort();
  }
}

function aborted(signal: AbortSignal, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true, signal: over });
  });
}

/** Not of a lab that its user has by then. */
async function timeout(state: LabState, over: AbortSignal): Promise<never> {
  const { request, awaited } = state;
  const { timeoutMs } = request;
  await sleep(timeoutMs, undefined, { signal: over });
  if (state.isStanding) return aborted(over, over);
  const events = [...awaited].map(([name, moment]) => `${name} (${moment})`);
  const waits = events.length === 0 ? "" : `; its timeline still waits for ${events.join(", ")}`;
  throw new TestbedError("timed-out", `expected the run to end within ${timeoutMs / 1000} s, and it has not${waits}`, {
    hint: "the results say how far it came; --timeout <seconds> gives it longer",
  });
}

/** At the end of a run, the lab is kept for its user, left for another run, or removed. */
function leaveLab(state: LabState, error: unknown): Promise<DestroyReport> {
  const { lab, request } = state;
  if (error !== undefined) return removeLab(state, () => lab.destroy());
  if (request.keep) return keepLab(state);
  return removeLab(state, () => lab.release?.() ?? lab.destroy());
}

async function removeLab(
  { recorder, stopwatch }: LabState,
  remove: () => Promise<DestroyReport>,
): Promise<DestroyReport> {
  const report = await stopwatch.phase("remove", remove);
  recorder.add({ type: "removed", leftovers: report.leftovers });
  return report;
}

async function keepLab({ lab, recorder, request }: LabState): Promise<DestroyReport> {
  await lab.keep();
  recorder.add({ type: "kept", runId: request.identity.runId });
  return { leftovers: [] };
}

function recordOf(state: LabState): Omit<LabRecord, "error" | "removal"> {
  const { recorder, stopwatch, environment, captures, links, hosts } = state;
  const logs = [...links].map(([name, link]) => [name, link.log] as const);
  return {
    events: recorder.events,
    phasesMs: stopwatch.phasesMs,
    environment,
    captures: captures.all(),
    counters: new Map([...links].map(([name, link]) => [name, link.counters])),
    logs: new Map(logs),
    hosts: hosts.records(),
  };
}

async function each<T>(items: readonly T[], run: (item: T) => Promise<unknown>): Promise<void> {
  await Promise.all(items.map(run));
}

async function filterAsync<T>(items: readonly T[], isKept: (item: T) => Promise<boolean>): Promise<readonly T[]> {
  const kept = await Promise.all(items.map(isKept));
  return items.filter((_, i) => kept[i]);
}
