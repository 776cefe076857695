/**
 * A lab as data, in an order in which it can be made, independent of the runtime that executes it. `testbed plan`
 * prints it, `lab/` executes it, `compose.ts` writes it for Docker Compose.
 */

import type { AgentCommand, InterfaceSetup, NodeSetup } from "@testbed/agent/control";
import type { EventMoment, HostFile, ProgramSource, Readiness } from "../topology/model/resolved.ts";
import type { HostCapability, HostDevice, StopSignal } from "../topology/model/words.ts";
import type { ProgramLimits } from "./program-limits.ts";

/** The set-up of a node before a runtime has made its interfaces: everything except how to find them. */
export type UnboundSetup = Omit<NodeSetup, "interfaces"> & { readonly interfaces: readonly UnboundInterface[] };

export type UnboundInterface = Omit<InterfaceSetup, "find">;

/** A segment to make. It has no addresses: nodes set those, a runtime only carries frames. */
export interface SegmentSpec {
  readonly name: string;
  readonly interfaceName: string;
}

/** Kernel parameter names with their values, such as `net.ipv4.ip_forward: "1"`, set when the node is made. */
export type Sysctls = Readonly<Record<string, string>>;

/** A node, with the agent as its first process. */
export interface NodeSpec {
  readonly name: string;
  readonly sysctls: Sysctls;
  /** Whether it needs /dev/net/tun. */
  readonly tun: boolean;
  /** Names of the segments it is attached to, in the order of `setup.interfaces`. */
  readonly segments: readonly string[];
  /** Names of those segments on which it reaches routers only; none when absent. */
  readonly isolatedOn?: readonly string[];
  readonly setup: UnboundSetup;
}

/** A host program, in the network of a node. */
export interface ProgramSpec {
  readonly name: string;
  /** The node whose network it uses. */
  readonly inside: string;
  readonly source: ProgramSource;
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly files?: readonly HostFile[];
  readonly writable?: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  /** The capabilities that it has, capabilities(7) without `CAP_`; none when absent. */
  readonly capabilities?: readonly HostCapability[];
  readonly devices?: readonly HostDevice[];
  /** `PROGRAM_LIMITS` when absent. */
  readonly limits?: ProgramLimits;
  /** The signal that asks it to end with its run; killed at once when absent. */
  readonly stopSignal?: StopSignal;
  /** It runs until the testbed ends it. */
  readonly isService?: boolean;
  /** Programs that are ready before it is started; none when absent. */
  readonly startAfter?: readonly string[];
  /** When it is ready; absent for as soon as it is started. */
  readonly ready?: Readiness;
  /** Patterns of output whose lines become events, beside that of `ready`. */
  readonly watched?: readonly string[];
}

export type ProgramFile = HostFile;

export interface Plan {
  readonly topology: string;
  readonly segments: readonly SegmentSpec[];
  readonly nodes: readonly NodeSpec[];
  /** Started once every NAT and firewall is verified, each after those that it waits for. */
  readonly programs: readonly ProgramSpec[];
  /** What happens once data flows, in order of time as far as it is known. */
  readonly timeline: readonly TimelineStep[];
}

/** A command without its id, which is assigned when it is sent. */
export type ChangeCommand = WithoutId<
  Extract<
    AgentCommand,
    {
      readonly type:
        | "move"
        | "deregister"
        | "reboot"
        | "kill"
        | "restart"
        | "readdress"
        | "change-rules"
        | "impair-link";
    }
  >
>;

/** What the runtime does to a node's processes. */
export type PauseCommand = { readonly type: "pause" } | { readonly type: "resume" };

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

/** One event of the timeline: which nodes get which commands when, each after those that it got before. */
export interface TimelineStep {
  /** Its name in expectations and reports. */
  readonly name: string;
  readonly when: EventMoment;
  /** Description for people. */
  readonly text: string;
  /** What is done at once, to a node each. */
  readonly deeds: readonly Deed[];
}

/** What is done to a node. */
export interface Deed {
  readonly node: string;
  readonly command: ChangeCommand | PauseCommand;
}
