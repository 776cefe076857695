/**
 * What happens in a lab, in chronological order: one union for progress on the terminal, `events.ndjson` and every
 * report. Times are absolute, so that events of several nodes, packets and the program's own steps share one axis.
 */

import type { AgentReport, ImpairedLink, LinkFigures, TrafficResult } from "@testbed/agent/control";
import type { ExceededLimit } from "../runtime/runtime.ts";
import type { InboundVerification } from "./inbound-verification.ts";
import type { LifetimeVerification } from "./lifetime-verification.ts";
import type { NatVerification } from "./nat-verification.ts";

/** A protocol event reported by a node; see the agent's events. */
export type NodeEvent = Extract<AgentReport, { type: "event" }>["event"];

/** One direction of an impaired link: what implements the impairment and, at the end of a run, its packet counters. */
export type LinkReport = ImpairedLink & Partial<LinkFigures>;

/** A candidate as a node reports it. */
export type CandidateView = Extract<NodeEvent, { type: "candidate" }>["candidate"];

/** A pair as a node reports it, from that node's point of view. */
export type PairView = Extract<NodeEvent, { type: "nominated" }>["pair"];

/** The phases of a run, in their usual order; some overlap. */
export const PHASES = [
  "load",
  "create",
  "start",
  "programs",
  "registration",
  "before-ice",
  "middleboxes",
  "lifetimes",
  "nomination",
  "data",
  "timeline",
  "hosts",
  "finish",
  "remove",
] as const;

export type PhaseName = (typeof PHASES)[number];

/** When a session's traffic was sent: before any check, or after the session settled on its path. */
export type TrafficMoment = "before-ice" | "after-nomination";

/**
 * A numbered data packet of a session: when it was sent, milliseconds since 1970, and its round trip if it was
 * answered.
 */
export interface DataPacket {
  readonly sentAt: number;
  readonly rttMs: number | null;
}

/** What a program says of its own path in a line `MICE {…}` of its output; in its own words, which nobody checks. */
export interface HostWord {
  readonly path?: string | undefined;
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
}

/** One event, without its time. */
export type LabEventBody =
  | { readonly type: "started"; readonly runId: string; readonly topology: string; readonly runtime: string }
  /** Something left behind by an earlier run was removed, or could not be. */
  | { readonly type: "swept"; readonly line: string }
  | { readonly type: "segments-made"; readonly segments: readonly string[] }
  | { readonly type: "nodes-made"; readonly nodes: readonly string[] }
  | { readonly type: "node-ready"; readonly node: string }
  | { readonly type: "host-started"; readonly node: string; readonly program: string }
  /** Its program is ready: it may be used by those that wait for it. */
  | { readonly type: "host-ready"; readonly node: string }
  /** A line of its output that matches a pattern of its file. */
  | { readonly type: "host-output"; readonly node: string; readonly pattern: string; readonly line: string }
  /** What its program says of its own path. */
  | { readonly type: "host-said"; readonly node: string; readonly word: HostWord }
  | {
      readonly type: "host-exited";
      readonly node: string;
      readonly exitCode: number;
      /** Limits that its program has run into; absent for none. */
      readonly exceeded?: readonly ExceededLimit[];
    }
  /** Its program was still running at the end of the run; one that is no service had to end before. */
  | { readonly type: "host-ended"; readonly node: string; readonly isService: boolean }
  | { readonly type: "node"; readonly node: string; readonly event: NodeEvent }
  | { readonly type: "nat-verification"; readonly verification: NatVerification }
  /** The outcome of datagrams sent from outside to a forward or pinhole. */
  | { readonly type: "inbound-verification"; readonly verification: InboundVerification }
  | { readonly type: "lifetime-verification"; readonly verification: LifetimeVerification }
  /** No probe is sent from this LAN of a router. */
  | { readonly type: "not-verified"; readonly router: string; readonly lan: string; readonly reason: string }
  /** The impaired links of a node. */
  | { readonly type: "links"; readonly node: string; readonly links: readonly LinkReport[] }
  | {
      readonly type: "traffic";
      readonly session: string;
      readonly kind: "ping" | "echo";
      readonly moment: TrafficMoment;
      readonly result: TrafficResult;
    }
  /** An event of the topology's timeline took effect. */
  | { readonly type: "timeline"; readonly name: string; readonly nodes: readonly string[]; readonly text: string }
  /** The outcome of some packets of a session's data flow, in no particular order. */
  | { readonly type: "flow"; readonly session: string; readonly packets: readonly DataPacket[] }
  /** The lab stopped waiting for a session to make progress. */
  | { readonly type: "gave-up"; readonly session: string; readonly waitedFor: string; readonly afterMs: number }
  | {
      readonly type: "captured";
      readonly node: string;
      readonly segment: string;
      readonly packets: number;
      readonly droppedByKernel: number;
    }
  /** The captures of the run came to more than is kept: they end here. */
  | { readonly type: "captures-cut"; readonly keptOctets: number }
  | { readonly type: "phase-ended"; readonly phase: PhaseName; readonly durationMs: number }
  /** Every session has its path, or none: the lab is its user's from here on. */
  | { readonly type: "standing" }
  | { readonly type: "error"; readonly code: string; readonly message: string }
  | { readonly type: "kept"; readonly runId: string }
  | { readonly type: "removed"; readonly leftovers: readonly string[] };

/** One event; `at` is milliseconds since 1970 with a fraction, by the clock of the lab's machine. */
export type LabEvent = LabEventBody & { readonly at: number };
