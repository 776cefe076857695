/**
 * The port to whatever makes segments and nodes real. Drivers live in one folder each; everything above talks to this.
 *
 * A lab belongs to one run. Whatever a driver makes carries the run's identity, so that it can be found and removed
 * when its owner is gone, and nothing without that identity is ever touched.
 */

import type { NodeSpec, Plan, ProgramSpec, SegmentSpec } from "../plan/plan.ts";
import type { RuntimeName } from "./runtime-name.ts";

/** Who a lab belongs to: enough to tell, on this machine, whether its owner still lives. */
export interface RunIdentity {
  readonly runId: string;
  readonly topology: string;
  readonly owner: OwnerIdentity;
}

/** A process, told apart from a later one with the same pid. */
export interface OwnerIdentity {
  readonly pid: number;
  /** Start time of the process in clock ticks since boot (`/proc/<pid>/stat` field 22). */
  readonly startTicks: string;
  /** `/proc/sys/kernel/random/boot_id`. */
  readonly bootId: string;
}

/** Facts about the machine that belong into a result. */
export interface RuntimeEnvironment {
  readonly runtime: RuntimeName;
  readonly kernel: string;
  /** Engine name and version, such as `Docker 20.10.24 (API 1.41)`; absent without an engine. */
  readonly engine?: string;
  /** Named facts: `br_netfilter`, `netem`, … */
  readonly capabilities: Readonly<Record<string, boolean | string>>;
}

export interface Runtime {
  readonly name: RuntimeName;
  environment(): Promise<RuntimeEnvironment>;
  /** Removes what dead owners left behind. Returns one line per thing removed or found stuck. */
  sweep(): Promise<readonly string[]>;
  /**
   * Throws a `TestbedError`, such as `address-conflict`, when this machine's networking would disturb the plan. Called
   * before anything is made; a driver that nothing can disturb has none.
   */
  checkPlan?(plan: Pick<Plan, "nodes">): Promise<void>;
  /** Starts a lab; nothing is made yet. */
  createLab(identity: RunIdentity, signal: AbortSignal): RuntimeLab;
  /** Labs that exist on this machine, kept ones included. */
  listLabs(): Promise<readonly LabSummary[]>;
  /** Removes a lab by its run id, whoever made it. */
  removeLab(runId: string): Promise<DestroyReport>;
  close(): Promise<void>;
}

export interface LabSummary {
  readonly runId: string;
  readonly topology: string;
  readonly nodes: readonly string[];
  readonly isOwnerAlive: boolean;
  readonly isKept: boolean;
}

/** One lab while it exists. Every method may be called while others are under way. */
export interface RuntimeLab {
  createSegments(specs: readonly SegmentSpec[]): Promise<void>;
  /** Makes nodes without starting them; their segments exist. */
  createNodes(specs: readonly NodeSpec[]): Promise<void>;
  /** Starts a node, or puts one that was reset to work again, and hands its set-up over. Returns its control channel. */
  startNode(name: string): Promise<NodeHandle>;
  startProgram(spec: ProgramSpec): Promise<ProgramHandle>;
  /** Lets the lab outlive its owner; `removeLab` is then the way to end it. */
  keep(): Promise<void>;
  /** Removes everything; safe to call at any moment and more than once. */
  destroy(): Promise<DestroyReport>;
  /**
   * Leaves the lab to another run, in place of `destroy`. Only labs that serve several runs have it. Called once every
   * node has been told to `reset` and has sent its last report.
   */
  release?(): Promise<DestroyReport>;
}

/** What could not be removed, one line each with the cure; empty when nothing is left. */
export interface DestroyReport {
  readonly leftovers: readonly string[];
}

/** A running node. The set-up command has been written already. */
export interface NodeHandle {
  readonly name: string;
  /** Complete lines from the node's stdout, in order, each read once; ends when the node is gone. */
  readonly lines: AsyncIterable<string>;
  /** Writes one line to the node's stdin. */
  send(line: string): void;
  readonly exited: Promise<NodeExit>;
  /** What the node wrote to stderr so far: its log. */
  log(): string;
}

export interface NodeExit {
  readonly code: number;
  /** The last lines of stderr. */
  readonly logTail: readonly string[];
}

export interface ProgramHandle {
  readonly name: string;
  readonly exited: Promise<NodeExit>;
  log(): string;
}
