/** Events of a protocol node, in order of occurrence. The driver adds the time. */

import type { SocketAddress } from "./address.ts";
import type { Refusal } from "./refusal.ts";

/** Candidate types of ICE; `relayed` is the home address through the reverse tunnel. */
export const CANDIDATE_TYPES = ["host", "server-reflexive", "peer-reflexive", "relayed"] as const;

export type CandidateType = (typeof CANDIDATE_TYPES)[number];

/** A candidate in an event. */
export interface CandidateView {
  readonly type: CandidateType;
  readonly address: SocketAddress;
  /** The local transport address it was obtained from; absent for the peer's candidates. */
  readonly base?: SocketAddress;
  readonly priority: number;
}

/** A pair in an event: candidate types and addresses of both ends, seen from the reporting node. */
export interface PairView {
  readonly local: CandidateView;
  readonly remote: CandidateView;
}

/** Path of a session's data: the selected pair, or both home agents. */
export const DATA_PATHS = ["direct", "home-agents"] as const;

export type DataPath = (typeof DATA_PATHS)[number];

/** Whether an agent nominates (`controlling`) or follows (`controlled`). */
export const ICE_ROLES = ["controlling", "controlled"] as const;

export type IceRole = (typeof ICE_ROLES)[number];

/** Why a check is sent: an ordinary check of the list, a triggered check, or a nomination. */
export const CHECK_KINDS = ["ordinary", "triggered", "nominating"] as const;

export type CheckKind = (typeof CHECK_KINDS)[number];

/** The ends of a pair, seen from the reporting node. */
export const PAIR_ENDS = ["local", "remote"] as const;

/** Why a home agent has removed a binding. */
export const BINDING_REMOVALS = ["deregistered", "expired"] as const;

/** Why a selected pair is dead: no answer, or a NAT has given this end another address. */
export const PAIR_DEATHS = ["no-answer", "mapping-changed"] as const;

/** All events of a node, one union. `peer` is always the peer's home address. */
export type NodeEvent =
  | { readonly type: "registration-sent"; readonly sequence: number; readonly careOf: SocketAddress }
  | {
      readonly type: "registered";
      readonly homeAddress: string;
      /** Local transport address of the tunnel. */
      readonly careOf: SocketAddress;
      readonly natDetected: boolean;
      readonly lifetimeSec: number;
    }
  | { readonly type: "registration-failed"; readonly reason: string }
  /** The node's program ended without a word to anybody, and what it knew is gone. */
  | { readonly type: "program-ended" }
  /** The binding was deleted. Confirmed when the home agent has acknowledged it, else it is left to expire. */
  | { readonly type: "deregistered"; readonly homeAddress: string; readonly isConfirmed: boolean }
  | {
      /** At the home agent: a binding was created or refreshed. */
      readonly type: "binding-registered";
      readonly homeAddress: string;
      /** Source of the registration as received by the home agent. */
      readonly observed: SocketAddress;
      readonly careOf: string;
      readonly natDetected: boolean;
    }
  | {
      readonly type: "binding-removed";
      readonly homeAddress: string;
      readonly reason: (typeof BINDING_REMOVALS)[number];
    }
  | { readonly type: "candidate"; readonly peer: string; readonly candidate: CandidateView }
  | {
      /** A socket's mapped address differs from the one found when candidates were gathered. */
      readonly type: "mapping-changed";
      readonly peer: string;
      readonly before: CandidateView;
      readonly after: CandidateView;
    }
  | { readonly type: "gathering-done"; readonly peer: string; readonly candidates: number }
  /** A node without home agent requests an offer from the peer. */
  | { readonly type: "offer-requested"; readonly peer: string }
  | {
      readonly type: "offer-sent";
      readonly peer: string;
      readonly candidates: readonly CandidateView[];
      readonly isRestart: boolean;
    }
  | {
      readonly type: "offer-received";
      readonly peer: string;
      readonly candidates: readonly CandidateView[];
      readonly isRestart: boolean;
    }
  | { readonly type: "answer-sent"; readonly peer: string; readonly candidates: readonly CandidateView[] }
  | { readonly type: "answer-received"; readonly peer: string; readonly candidates: readonly CandidateView[] }
  | {
      readonly type: "check-list";
      readonly peer: string;
      readonly role: IceRole;
      readonly pairs: readonly PairView[];
      /** What is not checked because there is too much of it: pairs, and candidates of the peer. */
      readonly cut: { readonly pairs: number; readonly candidates: number };
    }
  | {
      readonly type: "check-sent";
      readonly peer: string;
      readonly kind: CheckKind;
      readonly pair: PairView;
    }
  | {
      readonly type: "check-succeeded";
      readonly peer: string;
      readonly pair: PairView;
      readonly mapped: SocketAddress;
      readonly rttMs: number;
    }
  | { readonly type: "check-failed"; readonly peer: string; readonly pair: PairView; readonly reason: string }
  | ({
      /** An ICMP error for a check, which goes on: see `ice/README.md`. Emitted once per check. */
      readonly type: "check-refused";
      readonly peer: string;
      readonly pair: PairView;
    } & Refusal)
  | {
      readonly type: "check-received";
      readonly peer: string;
      readonly from: SocketAddress;
      readonly local: SocketAddress;
      readonly nominating: boolean;
    }
  | {
      readonly type: "peer-reflexive";
      readonly peer: string;
      readonly side: (typeof PAIR_ENDS)[number];
      readonly candidate: CandidateView;
    }
  | { readonly type: "role-conflict"; readonly peer: string; readonly role: IceRole }
  | { readonly type: "pair-valid"; readonly peer: string; readonly pair: PairView }
  | { readonly type: "nominated"; readonly peer: string; readonly pair: PairView; readonly afterMs: number }
  | { readonly type: "session-failed"; readonly peer: string; readonly reason: string }
  | { readonly type: "binding-update-sent"; readonly peer: string; readonly sequence: number; readonly careOf: string }
  | {
      readonly type: "binding-update-received";
      readonly peer: string;
      readonly sequence: number;
      readonly careOf: string;
      readonly status: number;
    }
  | {
      readonly type: "binding-accepted";
      readonly peer: string;
      readonly sequence: number;
      readonly lifetimeSec: number;
    }
  | { readonly type: "binding-rejected"; readonly peer: string; readonly status: number }
  | { readonly type: "path"; readonly peer: string; readonly path: DataPath; readonly pair?: PairView }
  | { readonly type: "keepalive-sent"; readonly peer: string; readonly pair: PairView }
  /** Data has stopped to come on the selected pair, and nothing answers: data takes the home agents' path for now. */
  | { readonly type: "pair-silent"; readonly peer: string; readonly pair: PairView }
  | {
      /** The selected pair is dead: data takes the home agents' path, and ICE restarts. */
      readonly type: "pair-dead";
      readonly peer: string;
      readonly pair: PairView;
      readonly reason: (typeof PAIR_DEATHS)[number];
      /** Time since the last answer on the pair. */
      readonly silentMs: number;
    };
