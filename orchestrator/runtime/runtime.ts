/**
 * The port to the drivers that make segments and nodes real. Each driver has a folder; everything above uses this port.
 *
 * A lab belongs to one run. Everything a driver makes carries the run's identity, so that it can be found and removed
 * after its owner has died. Nothing without that identity is ever touched.
 */

import type { NodeSpec, Plan, ProgramSpec, SegmentSpec } from "../plan/plan.ts";
import type { RuntimeName } from "./runtime-name.ts";

/** The run that a lab belongs to, with enough to determine on this machine whether its owner is alive. */
export interface RunIdentity {
  readonly runId: string;
  readonly topology: string;
  readonly owner: OwnerIdentity;
}

/** A process, distinguished from a later one with the same pid. */
export interface OwnerIdentity {
  readonly pid: number;
  /** Start time of the process in clock ticks since boot (`/proc/<pid>/stat` field 22). */
  readonly startTicks: string;
  /** `/proc/sys/kernel/random/boot_id`. */
  readonly bootId: string;
}

/** Facts about the machine for the result. */
export interface RuntimeEnvironment {
  readonly runtime: RuntimeName;
  readonly kernel: string;
  /** Engine name and version, such as `Docker 20.10.24 (API 1.41)`; absent without an engine. */
  readonly engine?: string;
  /** Named facts: `br_netfilter`, `netem`, … */
  readonly capabilities: Readonly<Record<string, boolean | string>>;
}

/** Access to the labs of this machine, also those of other processes, without what it takes to make one. */
export interface ExistingLabs {
  readonly name: RuntimeName;
  /** Labs that exist on this machine, kept ones included. */
  listLabs(): Promise<readonly LabSummary[]>;
  /** Removes a lab by its run id. */
  removeLab(runId: string): Promise<DestroyReport>;
  /**
   * Runs a command in a node, with this process's own standard streams, and returns its exit code; 128 and the number of
   * the signal that ended it. The command's surroundings are those of the node, of a host those of its program while that
   * runs. Where standard input is a terminal, it is the command's terminal. Throws `no-permission` for another user's lab.
   */
  exec(runId: string, node: string, command: readonly string[]): Promise<number>;
  close(): Promise<void>;
}

export interface Runtime extends ExistingLabs {
  environment(): Promise<RuntimeEnvironment>;
  /** Removes the labs of dead owners. Returns one line for each lab removed, or object that could not be. */
  sweep(): Promise<readonly string[]>;
  /**
   * Throws a `TestbedError`, such as `address-conflict` or `no-program`, when this machine cannot run the plan or would
   * disturb it. Called before anything is made.
   */
  checkPlan?(plan: Pick<Plan, "nodes" | "programs">): Promise<void>;
  /** Why the runtime itself does not work any more, such as an engine that is gone; asked once a run has failed. */
  fault?(): Promise<Error | undefined>;
  /** Starts a lab; nothing is made yet. */
  createLab(identity: RunIdentity, signal: AbortSignal): RuntimeLab;
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
  /** Makes nodes without starting them; their segments must exist. */
  createNodes(specs: readonly NodeSpec[]): Promise<void>;
  /** Starts a node with its set-up, or reuses one that was reset. Returns its control channel. */
  startNode(name: string): Promise<NodeHandle>;
  /** Starts a host's program; `onOutput` receives what it writes, as it comes. */
  startProgram(spec: ProgramSpec, onOutput: OutputListener): Promise<ProgramHandle>;
  /** Lets the lab outlive its owner, until `removeLab`. */
  keep(): Promise<void>;
  /** Removes everything; safe to call at any moment and more than once. */
  destroy(): Promise<DestroyReport>;
  /**
   * Releases the lab to another run, in place of `destroy`; only pooled labs have it. Called once every node has been
   * sent `reset` and has sent its last report.
   */
  release?(): Promise<DestroyReport>;
}

/** What could not be removed, one line each with the fix; empty when nothing is left. */
export interface DestroyReport {
  readonly leftovers: readonly string[];
}

/** A running node. The set-up command has been sent. */
export interface NodeHandle {
  readonly name: string;
  /** Complete lines from the node's stdout, in order, each read once; ends when the node exits. */
  readonly lines: AsyncIterable<string>;
  /** Writes one line to the node's stdin. */
  send(line: string): void;
  readonly exited: Promise<NodeExit>;
  /** What the node has written to stderr so far; of much, the beginning and the end. */
  log(): string;
  /** Begins the log anew. */
  forgetLog(): void;
  /**
   * Why a node that is silent cannot speak, as the end of a sentence about it: `its process is stopped`. Undefined if
   * nothing stops it. Absent where the runtime cannot tell.
   */
  hindrance?(): Promise<string | undefined>;
  /** Stops the node's processes (SIGSTOP) until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** Limits of a host's program. */
export const PROGRAM_LIMIT_NAMES = ["pids", "memory"] as const;

export type ExceededLimit = (typeof PROGRAM_LIMIT_NAMES)[number];

export interface NodeExit {
  readonly code: number;
  /** The last lines of stderr. */
  readonly logTail: readonly string[];
}

export interface ProgramExit extends NodeExit {
  /** Limits that it has run into; absent where the runtime cannot tell. */
  readonly exceeded?: readonly ExceededLimit[];
}

/** Receives what a program writes to its standard output or error; every piece before the program's end is known. */
export type OutputListener = (stream: "stdout" | "stderr", piece: Uint8Array) => void;

export interface ProgramHandle {
  readonly name: string;
  readonly exited: Promise<ProgramExit>;
  /** What it has written so far to standard output and error, as it came; of much, the beginning and the end. */
  log(): string;
  /** Sends a signal to the program. One that has ended needs none. */
  signal(name: NonNullable<ProgramSpec["stopSignal"]>): Promise<void>;
}
