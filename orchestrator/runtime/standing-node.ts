/** A node that serves one run after the other: each sees a node of its own that starts, works and ends. */

import { type AgentCommand, decodeCommand, decodeReport } from "@testbed/agent/control";
import { createDeferred, type Deferred } from "../support/deferred.ts";
import type { NodeExit, NodeHandle } from "./runtime.ts";

export interface StandingNode {
  /** What the run sees that started the node. */
  readonly first: NodeHandle;
  /** Puts the node to work again, with these rules, and gives what the next run sees. */
  readonly renew: (rules: Renewal["rules"]) => NodeHandle;
  /** Whether its last run has come to an orderly end. */
  readonly isResting: () => boolean;
}

type Renewal = Extract<AgentCommand, { readonly type: "renew" }>;

/** The node's time with one run. */
interface Shift {
  readonly lines: LineQueue;
  readonly exited: Deferred<NodeExit>;
  readonly logStart: number;
  /** Absent while the shift is the node's last. */
  logEnd?: number;
}

/** Takes a started node over; what was told to `finish` rests in place of ending. */
export function createStandingNode(handle: NodeHandle): StandingNode {
  let shift = newShift(0);
  let isResting = false;
  const end = (exit: NodeExit): void => {
    shift.lines.end();
    shift.exited.resolve(exit);
  };
  const read = async (): Promise<void> => {
    for await (const line of handle.lines) {
      shift.lines.push(line);
      if (!isLastReport(line)) continue;
      isResting = true;
      end({ code: 0, logTail: [] });
    }
  };
  const gone = async (): Promise<void> => {
    const exit = await handle.exited;
    isResting = false;
    end(exit);
  };
  void read().then(gone, gone);

  const handleOf = (own: Shift): NodeHandle => ({
    name: handle.name,
    lines: own.lines,
    send: (line) => handle.send(isFinish(line) ? encode({ type: "rest" }) : line),
    exited: own.exited.promise,
    log: () => handle.log().slice(own.logStart, own.logEnd),
  });
  return {
    first: handleOf(shift),
    renew(rules) {
      shift.logEnd = handle.log().length;
      shift = newShift(shift.logEnd);
      isResting = false;
      handle.send(encode({ type: "renew", rules }));
      return handleOf(shift);
    },
    isResting: () => isResting,
  };
}

function newShift(logStart: number): Shift {
  return { lines: createLineQueue(), exited: createDeferred(), logStart };
}

function encode(command: AgentCommand): string {
  return JSON.stringify(command);
}

/** Of most lines a look tells that they are something else. */
function isLastReport(line: string): boolean {
  if (!line.includes('"bye"')) return false;
  const report = decodeReport(line);
  return report.ok && report.value.type === "bye";
}

function isFinish(line: string): boolean {
  const command = decodeCommand(line);
  return command.ok && command.value.type === "finish";
}

/** Lines that are pushed on one side and taken, each once, on the other. */
interface LineQueue extends AsyncIterable<string> {
  readonly push: (line: string) => void;
  readonly end: () => void;
}

function createLineQueue(): LineQueue {
  const lines: string[] = [];
  let isOver = false;
  let changed = createDeferred<undefined>();
  const change = (): void => {
    changed.resolve(undefined);
    changed = createDeferred();
  };
  return {
    push(line) {
      lines.push(line);
      change();
    },
    end() {
      isOver = true;
      change();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const line = lines.shift();
        if (line !== undefined) yield line;
        else if (isOver) return;
        else await changed.promise;
      }
    },
  };
}
