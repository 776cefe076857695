/** The typed control channel of one node: commands in, reports out, a node failure as an error. */

import { setTimeout as sleep } from "node:timers/promises";
import {
  type AgentCommand,
  type AgentReport,
  type ClockReading,
  decodeReport,
  type HeardDatagram,
  type LifetimeObservation,
  type NatObservation,
} from "@testbed/agent/control";
import type { ChangeCommand, PauseCommand } from "../plan/plan.ts";
import type { NodeExit, NodeHandle } from "../runtime/runtime.ts";
import { createDeferred } from "../support/deferred.ts";
import { TestbedError } from "../support/errors.ts";
import { clockStepMs, realTimeOf } from "./clock-axis.ts";
import type { DataPacket, LinkReport, NodeEvent } from "./lab-event.ts";
import type { LabTimeouts } from "./lab-timeouts.ts";
import { quoteEnd } from "./quote-end.ts";
import { createReportBudget } from "./report-budget.ts";
import { createSilenceWatch } from "./silence-watch.ts";

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;
/** Traffic that a node is commanded to send; the answer carries the round trips. */
export type TrafficRequest = WithoutId<Extract<AgentCommand, { type: "ping" | "echo" }>>;
type TrafficResult = Extract<AgentReport, { type: "reply" }>["result"];
type FlowRequest = Omit<Extract<AgentCommand, { type: "start-flow" }>, "type" | "id">;
type ProbeRequest = WithoutId<Extract<AgentCommand, { type: "probe" }>>;
type LifetimeRequest = WithoutId<Extract<AgentCommand, { type: "probe-lifetime" }>>;
type SniffRequest = WithoutId<Extract<AgentCommand, { type: "sniff" }>>;
type MarksRequest = WithoutId<Extract<AgentCommand, { type: "send-marks" }>>;
type SocketRequest = Omit<Extract<AgentCommand, { type: "await-socket" }>, "type" | "id">;
/** Reports that answer a command. */
type Answer = Exclude<Extract<AgentReport, { readonly id: number }>, { type: "flow" }>;

/** Receives what arrives on a channel, as it arrives. */
export interface LinkObserver {
  /** `at`: milliseconds since 1970 by the node's clock. */
  readonly event: (at: number, event: NodeEvent) => void;
  readonly captureData: (segment: string, data: Uint8Array) => void;
  /** The impaired links of the node: reported when it is ready and, with counters, when it ends. */
  readonly links: (links: readonly LinkReport[]) => void;
  readonly captureDone: (segment: string, packets: number, droppedByKernel: number) => void;
}

/** How a node ends its run: it exits, or it stays up for the next run of its lab. */
export type NodeEnding = "finish" | "reset";

/** A running flow of data packets. */
export interface LinkFlow {
  /** Stops sending; resolves when the outcome of every packet is reported. Rejects if the node fails meanwhile. */
  stop(): Promise<void>;
}

/** The timeouts of a channel. */
type LinkTimeouts = Pick<LabTimeouts, "exitMs" | "silenceMs" | "longSilenceMs">;

/** The channel of a started node; reads from construction on. */
export class AgentLink {
  readonly #handle: NodeHandle;
  readonly #observer: LinkObserver;
  readonly #timeouts: LinkTimeouts;
  readonly #ready = createDeferred<undefined>();
  readonly #failed = createDeferred<never>();
  readonly #finished = createDeferred<undefined>();
  readonly #asked = new Map<number, (answer: Answer) => void>();
  readonly #flows = new Map<number, (packets: readonly DataPacket[]) => void>();
  #nextId = 1;
  #clock: ClockReading | undefined;
  #counters: Readonly<Record<string, number>> = {};
  #fatal: string | undefined;
  #ending: NodeEnding | undefined;
  #hasSaidBye = false;
  readonly #budget = createReportBudget();
  #isOverBudget = false;
  #isLooking = false;
  readonly #heartbeat = createSilenceWatch((silentMs) => void this.#lookAfter(silentMs));

  constructor(handle: NodeHandle, observer: LinkObserver, timeouts: LinkTimeouts) {
    this.#handle = handle;
    this.#observer = observer;
    this.#timeouts = timeouts;
    void this.#read();
  }

  /** Resolves when the node is set up in the topology; rejects if it fails first. */
  get ready(): Promise<undefined> {
    return this.#ready.promise;
  }

  /** Rejects with `node-failed` when the node fails or exits before it was commanded to; never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Resolves with the node's last report, after its last capture. */
  get finished(): Promise<undefined> {
    return this.#finished.promise;
  }

  /** From the node's last report; empty until then. */
  get counters(): Readonly<Record<string, number>> {
    return this.#counters;
  }

  get log(): string {
    return this.#handle.log();
  }

  send(command: AgentCommand): void {
    this.#handle.send(JSON.stringify(command));
  }

  /** Commands the node to send traffic; rejects if the node fails meanwhile. */
  async request(traffic: TrafficRequest): Promise<TrafficResult> {
    return (await this.#ask(traffic, "reply")).result;
  }

  /** Commands the node to probe the NATs and firewalls in front of it; rejects if the node fails meanwhile. */
  async probe(request: ProbeRequest): Promise<NatObservation> {
    return (await this.#ask(request, "probed")).observation;
  }

  /** Commands the node to measure the lifetime of their mappings; rejects if the node fails meanwhile. */
  async probeLifetime(request: LifetimeRequest): Promise<LifetimeObservation> {
    return (await this.#ask(request, "lifetime-probed")).observation;
  }

  /** Commands the node to listen for marked datagrams; rejects if the node fails meanwhile. */
  async sniff(request: SniffRequest): Promise<readonly HeardDatagram[]> {
    return (await this.#ask(request, "heard")).datagrams;
  }

  /** Commands the node to send marked datagrams once; rejects if the node fails meanwhile. */
  async sendMarks(request: MarksRequest): Promise<void> {
    await this.#ask(request, "done");
  }

  /** Whether a program of the node serves on a port within `waitMs`; rejects if the node fails meanwhile. */
  async awaitSocket(request: SocketRequest): Promise<boolean> {
    return (await this.#ask({ type: "await-socket", ...request }, "socket-awaited")).isThere;
  }

  /** Starts a flow that lasts until stopped; `onPackets` receives each packet once. */
  startFlow(request: FlowRequest, onPackets: (packets: readonly DataPacket[]) => void): LinkFlow {
    const id = this.#nextId++;
    this.#flows.set(id, onPackets);
    const ended = createDeferred<Answer>();
    this.#asked.set(id, ended.resolve);
    this.send({ type: "start-flow", id, ...request });
    return {
      stop: async () => {
        this.send({ type: "stop-flow", flow: id });
        await Promise.race([ended.promise, this.failed]);
        this.#flows.delete(id);
      },
    };
  }

  /** Applies a change to the node; returns when it took effect, milliseconds since 1970. */
  async change(command: ChangeCommand): Promise<number> {
    return this.#realTimeOf((await this.#ask(command, "done")).atMs);
  }

  /** Stops the node's processes, or lets them go on. Its silence meanwhile is no failure. */
  async pause(command: PauseCommand): Promise<void> {
    if (command.type === "pause") {
      this.#heartbeat.stop();
      await this.#handle.pause();
      return;
    }
    await this.#handle.resume();
    this.#heartbeat.start();
  }

  /** Ends the node's run; its remaining captures and its counters follow on the channel. */
  end(ending: NodeEnding): void {
    this.#ending = ending;
    this.send({ type: ending });
  }

  /** A failure of this node with the given message and the last lines of its log. */
  failure(message: string): TestbedError {
    const lastLines = quoteEnd(this.log, "its last log lines:");
    const [first = "", ...further] = message.split("\n");
    const told = [`node ${this.#handle.name}: ${first}`, ...further.map((line) => `  ${line}`)];
    return new TestbedError("node-failed", [...told, ...lastLines].join("\n"), {
      hint: "the results keep its whole log under logs/",
    });
  }

  async #ask<Type extends Answer["type"]>(
    command: WithoutId<Extract<AgentCommand, { readonly id: number }>>,
    type: Type,
  ): Promise<Extract<Answer, { type: Type }>> {
    const id = this.#nextId++;
    const answered = createDeferred<Answer>();
    this.#asked.set(id, answered.resolve);
    this.send({ ...command, id });
    const answer = await Promise.race([answered.promise, this.failed]);
    if (isOfType(answer, type)) return answer;
    throw this.failure(`expected ${type} as its answer to ${command.type}, found ${answer.type}`);
  }

  async #read(): Promise<void> {
    try {
      for await (const line of this.#handle.lines) {
        this.#heartbeat.heard();
        this.#takeLine(line);
        // Reports after a reset belong to the next run.
        if (this.#isOverBudget || (this.#ending === "reset" && this.#hasSaidBye)) return;
      }
      const { code } = await this.#exit();
      if (this.#ending === undefined) this.#fail(`it ended with exit code ${code} before it was told to`);
      else if (!this.#hasSaidBye) this.#fail(`it ended with exit code ${code} and without its last report`);
    } catch (error) {
      // Such as the loss of an engine, which is no fault of the node.
      if (error instanceof TestbedError) this.#failWith(error);
      else this.#fail(`its control channel broke: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** The end of a node whose channel has ended. Throws if it goes on without. */
  async #exit(): Promise<NodeExit> {
    const { exitMs } = this.#timeouts;
    const late = sleep(exitMs, undefined, { ref: false });
    const exit = await Promise.race([this.#handle.exited, late]);
    if (exit === undefined) throw new Error("it was closed, and the node still runs");
    return exit;
  }

  /** A silent node has failed: at once if something stops it, otherwise after a long silence. */
  async #lookAfter(silentMs: number): Promise<void> {
    const { silenceMs, longSilenceMs } = this.#timeouts;
    if (silentMs < silenceMs || this.#isLooking) return;
    this.#isLooking = true;
    const hindrance = await this.#handle.hindrance?.().catch(() => undefined);
    this.#isLooking = false;
    if (this.#hasSaidBye) return;
    const silence = `it has been silent for ${(silentMs / 1000).toFixed(1)} s`;
    if (hindrance !== undefined) this.#fail(`${silence}: ${hindrance}`);
    else if (silentMs >= longSilenceMs) this.#fail(`${silence}, and should report once a second`);
  }

  #takeLine(line: string): void {
    const report = decodeReport(line);
    if (report.ok) {
      const excess = isCounted(report.value) ? this.#budget.take(performance.now(), line.length) : undefined;
      if (excess === undefined) this.#take(report.value);
      else {
        this.#isOverBudget = true;
        this.#fail(excess);
      }
    } else this.#fail(`expected ${report.error.expected} on its control channel, found ${report.error.found}`);
  }

  #take(report: AgentReport): void {
    if (isAnswer(report)) {
      this.#asked.get(report.id)?.(report);
      this.#asked.delete(report.id);
      return;
    }
    switch (report.type) {
      case "hello":
        this.#clock = report.clock;
        this.#heartbeat.start();
        break;
      case "alive":
        // Every report shows as much.
        break;
      case "ready":
        if (report.links !== undefined) this.#observer.links(report.links);
        this.#ready.resolve(undefined);
        break;
      case "event":
        this.#observer.event(this.#realTimeOf(report.atMs), report.event);
        break;
      case "flow":
        this.#flows.get(report.id)?.(
          report.packets.map(({ sentAtMs, rttMs }) => ({ sentAt: this.#realTimeOf(sentAtMs), rttMs })),
        );
        break;
      case "capture":
        this.#observer.captureData(report.segment, Buffer.from(report.data, "base64"));
        break;
      case "capture-done":
        this.#observer.captureDone(report.segment, report.captured, report.droppedByKernel);
        break;
      case "fatal":
        // The node exits next; the rest of its log arrives before that.
        this.#fatal = `${report.code}: ${report.message}`;
        setTimeout(() => this.#fail("it is stuck"), this.#timeouts.exitMs).unref();
        break;
      case "bye":
        if (report.links !== undefined) this.#observer.links(report.links);
        this.#takeBye(report.clock, report.counters);
    }
  }

  /** A node's first report is its clock; without it, its times cannot be placed on the lab's axis. */
  #realTimeOf(atMs: number): number {
    return this.#clock === undefined ? atMs : realTimeOf(atMs, this.#clock);
  }

  #takeBye(clock: ClockReading, counters: Readonly<Record<string, number>>): void {
    this.#hasSaidBye = true;
    this.#heartbeat.stop();
    const stepMs = this.#clock === undefined ? 0 : clockStepMs(this.#clock, clock);
    this.#counters = stepMs === 0 ? counters : { ...counters, "clock.stepMs": stepMs };
    this.#finished.resolve(undefined);
  }

  /** The first failure counts; a fatal error reported by the node says more than its exit status. */
  #fail(message: string): void {
    this.#failWith(this.failure(this.#fatal ?? message));
  }

  #failWith(error: TestbedError): void {
    this.#heartbeat.stop();
    this.#ready.reject(error);
    this.#failed.reject(error);
  }
}

/** Captures have a bound of their own, and flows report what they were told to send. */
function isCounted({ type }: AgentReport): boolean {
  return type !== "capture" && type !== "flow";
}

function isAnswer(report: AgentReport): report is Answer {
  return "id" in report && report.type !== "flow";
}

function isOfType<Type extends Answer["type"]>(answer: Answer, type: Type): answer is Extract<Answer, { type: Type }> {
  return answer.type === type;
}
