/**
 * What a composing node sees of ICE: the verbs of one agent, and what it is told and tells.
 *
 * One machine serves one session and one generation of credentials. An ICE restart is a new machine.
 */

import type { SocketAddress } from "../address.ts";
import type { IceRole, NodeEvent } from "../events.ts";
import type { InstantMs, Rng, Transmit } from "../machine.ts";
import type { IceProfile } from "../node/agent-settings.ts";
import type { RefusedDatagram } from "../refusal.ts";
import type { StunDatagram } from "../stun/receive.ts";
import type { LocalCandidate, RemoteCandidate } from "./candidate.ts";
import type { IceLimits } from "./constants.ts";
import type { Pacer } from "./pacer.ts";

/** Username fragment and password of one end as STUN uses them (ice-char text, SPEC 8.3). */
export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

/** What the agent is told when it is made. */
export interface IceAgentConfig {
  readonly profile: IceProfile;
  /** Role to begin with: the offerer controls (RFC 8445 section 6.1.1). */
  readonly role: IceRole;
  /** A lite agent answers checks and sends none (SPEC 2.12). */
  readonly isLite?: boolean;
  readonly credentials: IceCredentials;
  /** Host, server-reflexive and relayed candidates of this node; the relayed one is its own base. */
  readonly candidates: readonly LocalCandidate[];
  /** When the offer was sent or received: `nominated.afterMs` counts from here. */
  readonly startedAt: InstantMs;
  readonly rng: Rng;
  /** The pace of the node; one of its own when absent. */
  readonly pacer?: Pacer;
  readonly limits?: Partial<IceLimits>;
}

/** What an offer or answer says about the peer. */
export interface RemoteDescription {
  readonly credentials: IceCredentials;
  readonly candidates: readonly RemoteCandidate[];
  readonly isLite: boolean;
  /** Tokens of ice-options. Without effect: this agent only sends regular nomination, which every peer takes. */
  readonly options: readonly string[];
}

/** A pair that a successful check has proved; data may use it. */
export interface ValidPair {
  /** `local.base` is where to send from. */
  readonly local: LocalCandidate;
  readonly remote: RemoteCandidate;
  readonly priority: bigint;
  readonly isNominated: boolean;
  readonly rttMs: number;
}

/** What the agent knows about a pair of transport addresses: the question of remote-candidates (SPEC 2.10). */
export type PairStanding = "valid" | "pending" | "failed" | "unknown";

type WithoutPeer<E> = E extends unknown ? Omit<E, "peer"> : never;

type SharedEvent =
  | "check-list"
  | "check-sent"
  | "check-succeeded"
  | "check-failed"
  | "check-refused"
  | "check-received"
  | "peer-reflexive"
  | "role-conflict"
  | "pair-valid"
  | "nominated"
  | "keepalive-sent"
  | "pair-dead";

/** What the agent reports: events of `NodeEvent` without `peer`, and two of its own. */
export type IceEvent =
  | WithoutPeer<Extract<NodeEvent, { readonly type: SharedEvent }>>
  /** No pair works; the session stays on the path through the home agents. */
  | { readonly type: "failed"; readonly reason: IceFailure }
  /** `freeDelayMs` after nomination: candidates off the selected pair need no upkeep any more. */
  | { readonly type: "released" };

/** How the selected pair died: nothing came back for too long, or a middlebox on the way shows this end at another address. */
export type PairDeath = Pick<Extract<NodeEvent, { readonly type: "pair-dead" }>, "reason" | "silentMs">;

/** Why an agent gave up. */
export type IceFailure = "no-candidate-pairs" | "all-checks-failed" | "lite-lite";

/** Why a STUN message had no effect. */
export type IceDropReason =
  | "unauthenticated-request"
  | "unauthenticated-response"
  | "unknown-transaction"
  | "too-many-candidates"
  | "check-list-full"
  | "request-budget-spent"
  | "consent-refused";

/** Counters since the start. */
export interface IceStats {
  /** New checks, ordinary, triggered and nominating. */
  readonly checksSent: number;
  /** Checks that a success response answered. */
  readonly checksAnswered: number;
  readonly checksFailed: number;
  /** Requests sent again within a check. */
  readonly retransmits: number;
  readonly requestsReceived: number;
  /** Answers sent, by STUN status: 200, 400, 401, 420, 487. */
  readonly answersSent: Readonly<Record<number, number>>;
  readonly indicationsReceived: number;
  readonly keepalivesSent: number;
  /** Requests that ask whether the selected pair is alive; no part of `checksSent`. */
  readonly consentSent: number;
  readonly consentAnswered: number;
  readonly dropped: Readonly<Record<IceDropReason, number>>;
}

/**
 * Where the agent is; `waiting` is before the peer's description arrived. `failed` is also where it ends when its
 * selected pair is dead: it goes on answering, and has no valid pair any more.
 */
export type IceState = "waiting" | "running" | "completed" | "failed";

/** One ICE agent. Inputs first, then the queues, then questions. */
export interface IceMachine {
  /** Takes the peer's description and starts checks at once; a second call has no effect. */
  setRemote(now: InstantMs, remote: RemoteDescription): void;
  /**
   * Takes a decoded message with a right FINGERPRINT: requests whose USERNAME begins with this agent's fragment,
   * responses of its transactions, indications on its pairs. What came through the tunnel for the relayed candidate
   * has home address and port as `local`.
   */
  handleStun(now: InstantMs, datagram: StunDatagram): void;
  /** Takes word by ICMP that a datagram was refused: the reason of a failure, if it comes to that. */
  handleRefusal(refused: RefusedDatagram): void;
  /** Tells that data left on the selected pair, which puts off the keepalive. */
  noteDataSent(now: InstantMs): void;
  handleTimeout(now: InstantMs): void;
  /** Gives its place in the pace of the node up. The agent is not used any more. */
  close(): void;
  /** `local` is the base to send from; the relayed candidate's base means "through the tunnel". */
  pollTransmit(): Transmit | undefined;
  pollEvent(): IceEvent | undefined;
  pollTimeout(): InstantMs | undefined;

  /** True when a request with this left part of USERNAME is for this agent. */
  ownsUsername(ufrag: string): boolean;
  /** True when this agent sent, and still remembers, the request with this transaction ID (12 octets). */
  ownsTransaction(transactionId: Uint8Array): boolean;
  /** True when data from `remote` at the socket `local` may be taken: pair valid, or an authenticated check came from there. */
  acceptsDataFrom(local: SocketAddress, remote: SocketAddress): boolean;
  /** Standing of the pair of these candidates' addresses, as remote-candidates names them. */
  standingOf(local: SocketAddress, remote: SocketAddress): PairStanding;
  readonly state: IceState;
  readonly role: IceRole;
  /** Every pair proved so far, best first. */
  validPairs(): readonly ValidPair[];
  /** The nominated pair of highest priority. */
  selectedPair(): ValidPair | undefined;
  stats(): IceStats;
}
