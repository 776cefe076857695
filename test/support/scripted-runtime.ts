/** A runtime with scripted nodes: for the logic of the lab, independent of segments and protocol. */

import type { AgentCommand, AgentReport } from "@testbed/agent/control";
import type { DestroyReport, NodeExit, NodeHandle, Runtime, RuntimeLab } from "../../orchestrator/runtime/runtime.ts";
import { createDeferred } from "../../orchestrator/support/deferred.ts";

/** The scripted node's side of its control channel. */
export interface ScriptedNode {
  readonly name: string;
  report(report: AgentReport): void;
  /** Writes a line unchanged. */
  write(line: string): void;
  logLine(line: string): void;
  exit(code: number): void;
}

export interface NodeScript {
  /** Called when the node starts; by default it sends `hello` and `ready`. */
  readonly start?: (node: ScriptedNode) => void;
  /** Called for every command; by default `finish` is obeyed and all traffic is answered. */
  readonly command?: (node: ScriptedNode, command: AgentCommand) => void;
}

export interface ScriptedRuntime extends Runtime {
  /** Every call in order, such as `startNode mn`. */
  readonly calls: readonly string[];
}

/** After everything else that scripted nodes do, which happens at 0. */
const CHANGED_AT_MS = 500;
const FLOW_STARTS_AT_MS = 1000;

const CLOCK = { monotonicMs: 0, realMs: 0 };

/** The default `start`. */
export function sayReady(node: ScriptedNode): void {
  node.report({ type: "hello", version: 1, pid: 1, nodeVersion: "v24.0.0", clock: CLOCK });
  node.report({ type: "ready" });
}

/** The default `command`. */
export function obey(node: ScriptedNode, command: AgentCommand): void {
  switch (command.type) {
    case "ping":
    case "echo": {
      const rttMs = Array<number>(command.count).fill(1);
      const result = { sent: command.count, received: command.count, duplicates: 0, rttMs };
      node.report({ type: "reply", id: command.id, result });
      break;
    }
    case "probe":
      node.report({ type: "probed", id: command.id, observation: { type: "udp-blocked" } });
      break;
    case "probe-lifetime":
      node.report({ type: "lifetime-probed", id: command.id, observation: {} });
      break;
    case "sniff":
      node.report({ type: "heard", id: command.id, datagrams: [] });
      break;
    case "send-marks":
      node.report({ type: "done", id: command.id, atMs: CHANGED_AT_MS });
      break;
    case "start-flow": {
      const packets = Array.from({ length: 10 }, (_, i) => ({ sentAtMs: FLOW_STARTS_AT_MS + 20 * i, rttMs: 1 }));
      node.report({ type: "flow", id: command.id, packets });
      break;
    }
    case "stop-flow":
      node.report({ type: "flow-ended", id: command.flow });
      break;
    case "reboot":
    case "impair-link":
      node.report({ type: "done", id: command.id, atMs: CHANGED_AT_MS });
      break;
    case "finish":
      node.report({ type: "bye", clock: CLOCK, counters: { "checks.sent": 1 } });
      node.exit(0);
      break;
    default:
    // Other commands get no answer.
  }
}

export function createScriptedRuntime(
  scripts: Readonly<Record<string, NodeScript>>,
  { programExits = true, fault }: { readonly programExits?: boolean; readonly fault?: Error } = {},
): ScriptedRuntime {
  const calls: string[] = [];
  const call = <T>(text: string, value: T): Promise<T> => {
    calls.push(text);
    return Promise.resolve(value);
  };
  const nothingLeft: DestroyReport = { leftovers: [] };
  const lab: RuntimeLab = {
    createSegments: (specs) => call(`createSegments ${specs.map(({ name }) => name).join()}`, undefined),
    createNodes: (specs) => call(`createNodes ${specs.map(({ name }) => name).join()}`, undefined),
    startNode: (name) => call(`startNode ${name}`, scriptedNode(name, scripts[name] ?? {})),
    startProgram: ({ name }) => {
      const exited = programExits
        ? Promise.resolve<NodeExit>({ code: 0, logTail: [] })
        : new Promise<NodeExit>(() => undefined);
      const signal = (sent: string) => call(`signal ${name} ${sent}`, undefined);
      return call(`startGuest ${name}`, { name, exited, log: () => "host program output\n", signal });
    },
    keep: () => call("keep", undefined),
    destroy: () => call("destroy", nothingLeft),
  };
  return {
    calls,
    name: "docker",
    environment: () => Promise.resolve({ runtime: "docker", kernel: "6.18.0", capabilities: {} }),
    sweep: () => call("sweep", []),
    fault: () => Promise.resolve(fault),
    createLab: () => lab,
    listLabs: () => Promise.resolve([]),
    removeLab: () => Promise.resolve(nothingLeft),
    exec: () => Promise.resolve(0),
    close: () => call("close", undefined),
  };
}

function scriptedNode(name: string, script: NodeScript): NodeHandle {
  const lines: string[] = [];
  const logged: string[] = [];
  const ended = createDeferred<NodeExit>();
  let wake = createDeferred<undefined>();
  let isOver = false;
  const changed = (): void => {
    wake.resolve(undefined);
    wake = createDeferred();
  };
  const node: ScriptedNode = {
    name,
    report: (report) => node.write(JSON.stringify(report)),
    write: (line) => {
      lines.push(line);
      changed();
    },
    logLine: (line) => void logged.push(`${line}\n`),
    exit: (code) => {
      isOver = true;
      ended.resolve({ code, logTail: logged });
      changed();
    },
  };
  async function* read(): AsyncGenerator<string> {
    for (;;) {
      const line = lines.shift();
      if (line !== undefined) yield line;
      else if (isOver) return;
      else await wake.promise;
    }
  }
  queueMicrotask(() => (script.start ?? sayReady)(node));
  return {
    name,
    lines: read(),
    send: (line) => (script.command ?? obey)(node, JSON.parse(line) as AgentCommand),
    exited: ended.promise,
    log: () => logged.join(""),
    forgetLog: () => void logged.splice(0),
    pause: () => Promise.resolve(),
    resume: () => Promise.resolve(),
  };
}
