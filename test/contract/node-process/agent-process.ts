/** An agent process with its control channel. */

import type { ChildProcessWithoutNullStreams } from "node:child_process";
import {
  type AgentCommand,
  type AgentReport,
  createLineSplitter,
  decodeReport,
  encodeLine,
  type NodeSetup,
} from "../../../agent/src/control/index.ts";

type ReportOf<Type extends AgentReport["type"]> = Extract<AgentReport, { readonly type: Type }>;

export interface AgentProcess {
  /** All reports so far. */
  readonly reports: readonly AgentReport[];
  send(command: AgentCommand): void;
  /** Writes a line unchanged. */
  sendText(line: string): void;
  /** Closes the agent's stdin, as the engine does when the orchestrator dies. */
  closeInput(): void;
  /** Continues the agent after a SIGSTOP. */
  resume(): void;
  /** The first report of a type; rejects when the process exits without it. */
  readonly report: <Type extends AgentReport["type"]>(type: Type) => Promise<ReportOf<Type>>;
  /** The same for the report that answers the command with this id. */
  readonly answer: <Type extends "done" | "reply">(type: Type, id: number) => Promise<ReportOf<Type>>;
  /** Exit code, once it has exited. */
  readonly exited: Promise<number | null>;
}

export function watchAgent(child: ChildProcessWithoutNullStreams, setup: NodeSetup | undefined): AgentProcess {
  const reports: AgentReport[] = [];
  const waiting = new Set<() => void>();
  let log = "";
  let isOver = false;
  const changed = (): void => {
    for (const check of waiting) check();
  };
  const splitter = createLineSplitter();
  child.stdout.on("data", (chunk: Buffer) => {
    for (const split of splitter.push(chunk)) reports.push(decodeStrictly(split.ok ? split.line : ""));
    changed();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  child.stdin.on("error", () => undefined);
  const exited = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      isOver = true;
      changed();
      resolve(code);
    });
  });
  const send = (command: AgentCommand): void => void child.stdin.write(encodeLine(command));
  if (setup !== undefined) send({ type: "setup", setup });
  const whenReported = <Type extends AgentReport["type"]>(
    type: Type,
    isMeant: (report: ReportOf<Type>) => boolean,
  ): Promise<ReportOf<Type>> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = reports.filter((report): report is ReportOf<Type> => report.type === type).find(isMeant);
        if (found === undefined && !isOver) return;
        waiting.delete(check);
        if (found !== undefined) resolve(found);
        else reject(new Error(`the agent ended without "${type}": ${JSON.stringify(reports)}\n${log}`));
      };
      waiting.add(check);
      check();
    });

  return {
    reports,
    send,
    sendText: (line) => void child.stdin.write(`${line}\n`),
    closeInput: () => void child.stdin.end(),
    // nsenter(1), which runs the agent, stops with it, and passes this on.
    resume: () => void child.kill("SIGCONT"),
    report: (type) => whenReported(type, () => true),
    answer: (type, id) => whenReported(type, (report) => "id" in report && report.id === id),
    exited,
  };
}

function decodeStrictly(line: string): AgentReport {
  const report = decodeReport(line);
  if (!report.ok) throw new Error(`not a report: ${line}`);
  return report.value;
}
