/** The programs of hosts in a run: started in their order, awaited, and ended with it. */

import { setTimeout as sleep } from "node:timers/promises";
import type { ProgramSpec } from "../plan/plan.ts";
import type { ExceededLimit, ProgramHandle, RuntimeLab } from "../runtime/runtime.ts";
import { createDeferred, type Deferred } from "../support/deferred.ts";
import { TestbedError } from "../support/errors.ts";
import { describeProgram } from "../topology/describe/describe-program.ts";
import { describeReadiness } from "../topology/describe/describe-readiness.ts";
import type { HostExpectation, Readiness } from "../topology/model/resolved.ts";
import type { AgentLink } from "./agent-link.ts";
import { createMatcher, type EventMatcher, every } from "./event-matcher.ts";
import type { HostRecord } from "./lab-record.ts";
import { createProgramOutput } from "./program-output.ts";
import { quoteEnd } from "./quote-end.ts";
import type { Recorder } from "./recorder.ts";

/** What hosts need from the lab. */
export interface HostLab {
  readonly recorder: Recorder;
  readonly lab: Pick<RuntimeLab, "startProgram">;
  readonly link: (node: string) => Pick<AgentLink, "awaitSocket">;
}

export interface HostPrograms {
  /** Whether the run has to wait for any of them. */
  readonly hasToWait: boolean;
  /** Starts each once those that it waits for are ready. Resolves when all are; rejects when one will never be. */
  start(): Promise<void>;
  /** Waits until everything that is expected of them has happened or cannot any more, at most `leftMs`. */
  awaitEnd(leftMs: number): Promise<void>;
  /** Those that want a signal before their end get it, and may write their last lines. */
  askToEnd(): Promise<void>;
  /** Reports those that end with the lab. */
  end(): void;
  records(): readonly HostRecord[];
}

/** A program that was started. */
interface StartedProgram {
  readonly spec: ProgramSpec;
  readonly handle: ProgramHandle;
  exitCode?: number;
  exceeded?: readonly ExceededLimit[];
  isEndedByTestbed?: boolean;
}

/** How long a program has to end once its signal was sent, or once everything else is done. */
const STOP_TIMEOUT_MS = 2000;

export function createHostPrograms(
  specs: readonly ProgramSpec[],
  expectations: readonly HostExpectation[],
  lab: HostLab,
): HostPrograms {
  const { recorder } = lab;
  const programs = new Map<string, StartedProgram>();
  const isRunning = ({ name }: ProgramSpec): boolean => programs.get(name)?.exitCode === undefined;
  return {
    hasToWait: specs.some(hasToEnd) || expectations.length > 0,
    async start() {
      const ready = new Map(specs.map(({ name }) => [name, createDeferred<undefined>()] as const));
      await Promise.all(specs.map((spec) => startInTurn(spec, ready, programs, lab)));
    },
    async awaitEnd(leftMs) {
      const deadline = performance.now() + leftMs;
      const left = (): number => Math.max(0, deadline - performance.now());
      const waits = specs.flatMap((spec) => awaitedOf(spec, expectations, recorder));
      await Promise.all(waits.map(({ isOver, withinMs }) => recorder.until(isOver, Math.min(left(), withinMs))));
      // Whatever is expected of the others, they end too.
      const others = specs.filter((spec) => hasToEnd(spec) && isRunning(spec));
      const isEnded = every(others.map(({ name }) => exitOf(name)));
      await recorder.until(isEnded, Math.min(left(), STOP_TIMEOUT_MS));
    },
    async askToEnd() {
      const running = [...programs.values()].filter(({ exitCode }) => exitCode === undefined);
      await Promise.all(running.map(askToEnd));
    },
    end() {
      for (const [node, program] of programs) {
        if (program.exitCode !== undefined) continue;
        program.isEndedByTestbed = true;
        recorder.add({ type: "host-ended", node, isService: !hasToEnd(program.spec) });
      }
    },
    records: () => specs.flatMap(({ name }) => programs.get(name) ?? []).map(recordOf),
  };
}

async function startInTurn(
  spec: ProgramSpec,
  ready: ReadonlyMap<string, Deferred<undefined>>,
  programs: Map<string, StartedProgram>,
  lab: HostLab,
): Promise<void> {
  const own = ready.get(spec.name);
  try {
    await Promise.all((spec.startAfter ?? []).flatMap((other) => ready.get(other)?.promise ?? []));
    const program = await startProgram(spec, lab, (started) => programs.set(spec.name, started));
    await untilReady(program, lab);
    own?.resolve(undefined);
  } catch (error) {
    own?.reject(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

async function startProgram(
  spec: ProgramSpec,
  { lab, recorder }: HostLab,
  onStart: (program: StartedProgram) => void,
): Promise<StartedProgram> {
  const { name: node, ready, watched = [] } = spec;
  const patterns = ready?.type === "output" ? [ready.pattern, ...watched] : watched;
  const output = createProgramOutput(patterns, {
    found: (pattern, line) => recorder.add({ type: "host-output", node, pattern, line }),
    said: (word) => recorder.add({ type: "host-said", node, word }),
  });
  // Before its first output.
  recorder.add({ type: "host-started", node, program: describeProgram(spec) });
  const handle = await lab.startProgram(spec, output.add);
  const program: StartedProgram = { spec, handle };
  onStart(program);
  handle.exited.then(
    ({ code, exceeded = [] }) => {
      output.end();
      // The removal of the lab ends it with an exit code of its own.
      if (program.isEndedByTestbed === true) return;
      program.exitCode = code;
      program.exceeded = exceeded;
      const further = exceeded.length === 0 ? {} : { exceeded };
      recorder.add({ type: "host-exited", node, exitCode: code, ...further });
    },
    () => undefined,
  );
  return program;
}

/** Rejects with `host-not-ready`, and the program's last lines, when it takes too long or has ended before. */
async function untilReady({ spec, handle }: StartedProgram, { recorder, link }: HostLab): Promise<void> {
  const { name, ready } = spec;
  if (ready !== undefined) {
    const ended = createExitWatch(name);
    const isReady = await becomesReady(name, ready, { recorder, link }, ended);
    const { exitCode } = ended;
    if (!isReady) {
      const found =
        exitCode === undefined ? "it was not" : `it ended with exit code ${exitCode}${exitCode === 0 ? " before" : ""}`;
      const expected = `host ${name}: expected ${describeReadiness(ready)} within ${ready.withinMs / 1000} s of its start; ${found}`;
      throw new TestbedError(
        "host-not-ready",
        [expected, ...quoteEnd(handle.log(), "its last lines of output:")].join("\n"),
        { hint: "the results keep its whole output under logs/; a longer `within` beside `ready` gives it more time" },
      );
    }
  }
  recorder.add({ type: "host-ready", node: name });
}

async function becomesReady(
  name: string,
  ready: Readiness,
  { recorder, link }: Pick<HostLab, "recorder" | "link">,
  ended: ExitWatch,
): Promise<boolean> {
  const { withinMs } = ready;
  switch (ready.type) {
    case "output": {
      const isSaid = outputOf(name, ready.pattern);
      // Looked at in this order: what it said last it has said.
      await recorder.until((events) => isSaid(events) || ended.isOver(events), withinMs);
      return isSaid(recorder.events);
    }
    case "exit":
      await recorder.until(ended.isOver, withinMs);
      return ended.exitCode === 0;
    case "tcp":
    case "udp": {
      const isThere = link(name).awaitSocket({ protocol: ready.type, port: ready.port, waitMs: Math.max(1, withinMs) });
      isThere.catch(() => undefined);
      const hasEnded = recorder.until(ended.isOver, withinMs).then((isOver) => !isOver && isThere);
      return Promise.race([isThere, hasEnded]);
    }
  }
}

/** Something that a run waits for. */
interface Awaited {
  readonly isOver: EventMatcher;
  readonly withinMs: number;
}

/** What the end of a run waits for: what is expected of a program or, where nothing is, its end. */
function awaitedOf(spec: ProgramSpec, all: readonly HostExpectation[], recorder: Recorder): readonly Awaited[] {
  const own = all.filter(({ host }) => host === spec.name);
  if (own.length > 0) return own.map((expectation) => awaitedFor(expectation, recorder));
  return hasToEnd(spec) ? [{ isOver: exitOf(spec.name), withinMs: Number.POSITIVE_INFINITY }] : [];
}

/** A program that has ended writes no more; what comes too late need not be awaited. */
function awaitedFor({ host, after, exit, output, withinMs }: HostExpectation, recorder: Recorder): Awaited {
  const from = recorder.events.findLast((entry) =>
    after === undefined ? entry.type === "host-started" && entry.node === host : isEvent(entry, after),
  )?.at;
  const exited = exitOf(host);
  const isSaid = output === undefined || exit !== undefined ? undefined : outputOf(host, output, from);
  const leftMs = withinMs === undefined || from === undefined ? undefined : from + withinMs - recorder.now();
  return {
    isOver: (events) => exited(events) || isSaid?.(events) === true,
    withinMs: leftMs === undefined ? Number.POSITIVE_INFINITY : Math.max(0, leftMs),
  };
}

function isEvent(entry: Recorder["events"][number], name: string): boolean {
  return entry.type === "timeline" && entry.name === name;
}

function exitOf(host: string): EventMatcher {
  return createMatcher((entry) => entry.type === "host-exited" && entry.node === host);
}

/** `from`: milliseconds since 1970; what was written earlier does not count. */
function outputOf(host: string, pattern: string, from = 0): EventMatcher {
  return createMatcher(
    (entry) => entry.type === "host-output" && entry.node === host && entry.pattern === pattern && entry.at >= from,
  );
}

/** Sees a program's end, and its exit code. */
interface ExitWatch {
  readonly isOver: EventMatcher;
  readonly exitCode: number | undefined;
}

function createExitWatch(host: string): ExitWatch {
  let exitCode: number | undefined;
  const isOver = createMatcher((entry) => {
    if (entry.type !== "host-exited" || entry.node !== host) return false;
    exitCode = entry.exitCode;
    return true;
  });
  return {
    isOver,
    get exitCode() {
      return exitCode;
    },
  };
}

async function askToEnd(program: StartedProgram): Promise<void> {
  const { handle, spec } = program;
  if (spec.stopSignal === undefined) return;
  program.isEndedByTestbed = true;
  await handle.signal(spec.stopSignal);
  await Promise.race([handle.exited, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
}

function hasToEnd({ isService = false }: ProgramSpec): boolean {
  return !isService;
}

function recordOf({ handle, spec, exitCode, exceeded = [], isEndedByTestbed }: StartedProgram): HostRecord {
  const { name, source, command } = spec;
  return {
    ...{ name, source },
    ...(command === undefined ? {} : { command }),
    log: handle.log(),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(exceeded.length === 0 ? {} : { exceeded }),
    ...(isEndedByTestbed === undefined ? {} : { isEndedByTestbed }),
    ...(hasToEnd(spec) ? {} : { isService: true }),
  };
}
