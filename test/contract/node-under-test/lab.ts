/** Small labs for contract tests: plans without a topology file, and nodes that execute commands. */

import { createHash, randomBytes } from "node:crypto";
import type { NodeSpec, SegmentSpec } from "../../../orchestrator/plan/plan.ts";
import type { NodeHandle, RunIdentity, Runtime, RuntimeLab } from "../../../orchestrator/runtime/runtime.ts";
import { currentProcess } from "../../../orchestrator/support/process-identity.ts";
import type { ProgramCommand, ProgramReport } from "./program.ts";

/** A node that executes commands. */
export interface AskableNode {
  readonly handle: NodeHandle;
  /** Runs a command inside and returns its exit code and output. */
  exec(...command: readonly string[]): Promise<{ readonly code: number; readonly output: string }>;
  tell(command: ProgramCommand): void;
}

export function newIdentity(owner = currentProcess()): RunIdentity {
  return { runId: `contract-${randomBytes(4).toString("hex")}`, topology: "contract", owner };
}

export function segment(name: string): SegmentSpec {
  return { name, interfaceName: name };
}

/** A node with one address on each of its segments. */
export function node(name: string, interfaces: Readonly<Record<string, string>>): NodeSpec {
  return {
    name,
    sysctls: { "net.ipv4.ip_forward": "0" },
    tun: false,
    segments: Object.keys(interfaces),
    setup: {
      version: 1,
      node: name,
      interfaces: Object.entries(interfaces).map(([segmentName, address]) => ({
        segment: segmentName,
        interfaceName: segmentName,
        mac: macOf(name, segmentName),
        addresses: [address],
      })),
      routes: [],
      rules: [],
      hosts: [],
      capture: false,
      role: { type: "host" },
    },
  };
}

/** Creates segments and nodes and waits until each node is set up. */
export async function bringUp(
  runtime: Runtime,
  specs: readonly NodeSpec[],
  identity: RunIdentity = newIdentity(),
): Promise<{ readonly lab: RuntimeLab; readonly nodes: ReadonlyMap<string, AskableNode> }> {
  const lab = runtime.createLab(identity, new AbortController().signal);
  try {
    const names = [...new Set(specs.flatMap((spec) => spec.segments))];
    await lab.createSegments(names.map(segment));
    await lab.createNodes(specs);
    const start = async ({ name }: NodeSpec) => [name, await askable(await lab.startNode(name))] as const;
    return { lab, nodes: new Map(await Promise.all(specs.map(start))) };
  } catch (error) {
    await lab.destroy();
    throw error;
  }
}

/** Waits for `ready`, then returns the node for commands. */
export async function askable(handle: NodeHandle): Promise<AskableNode> {
  const answers = new Map<number, (answer: { code: number; output: string }) => void>();
  let nextId = 1;
  const ready = new Promise<void>((resolve, reject) => {
    void (async () => {
      for await (const line of handle.lines) {
        const report = JSON.parse(line) as ProgramReport;
        if (report.type === "ready") resolve();
        else answers.get(report.id)?.(report);
      }
      reject(new Error(`node ${handle.name} ended: ${handle.log()}`));
    })();
  });
  await ready;
  const tell = (command: ProgramCommand): void => handle.send(JSON.stringify(command));
  return {
    handle,
    tell,
    exec: (...command) =>
      new Promise((resolve) => {
        answers.set(nextId, resolve);
        tell({ type: "exec", id: nextId++, command });
      }),
  };
}

/** A locally administered address, derived from the names. */
function macOf(nodeName: string, segmentName: string): string {
  const digest = createHash("sha256").update(`${nodeName}/${segmentName}`).digest("hex");
  return ["02", "4d", ...(digest.slice(0, 8).match(/../g) ?? [])].join(":");
}
