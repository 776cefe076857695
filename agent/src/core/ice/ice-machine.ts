/**
 * The interface of an ICE agent.
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
import type { Refusals } from "./refusals.ts";

/** Username fragment and password of one end as STUN uses them (ice-char text, SPEC 8.3). */
export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

/** Configuration of an agent. */
export interface IceAgentConfig {
  readonly profile: IceProfile;
  /** Initial role: the offerer controls (RFC 8445 section 6.1.1). */
  readonly role: IceRole;
  /** A lite agent answers checks and sends none (SPEC 2.12). */
  readonly isLite?: boolean;
  readonly credentials: IceCredentials;
  /** Host, server-reflexive and relayed candidates of this node; the relayed one is its own base. */
  readonly candidates: readonly LocalCandidate[];
  /** When the offer was sent or received: `nominated.afterMs` counts from here. */
  readonly startedAt: InstantMs;
  readonly rng: Rng;
  /** The pacer of the node; by default a new one. */
  readonly pacer?: Pacer;
  /** The budget of the node for requests of strangers; by default a new one. */
  readonly refusals?: Refusals;
  readonly limits?: Partial<IceLimits>;
}

/** An offer's or answer's description of the peer. */
export interface RemoteDescription {
  readonly credentials: IceCredentials;
  readonly candidates: readonly RemoteCandidate[];
  readonly isLite: boolean;
  /** Tokens of ice-options. No effect: this agent only sends regular nomination, which every peer accepts. */
  readonly options: readonly string[];
}

/** A valid pair; data may use it. */
export interface ValidPair {
  /** `local.base` is the source of its packets. */
  readonly local: LocalCandidate;
  readonly remote: RemoteCandidate;
  readonly priority: bigint;
  readonly isNominated: boolean;
  readonly rttMs: number;
}

/** State of a pair of transport addresses, for remote-candidates (SPEC 2.10). */
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

/** Events of the agent: those of `NodeEvent` without `peer`, and two more. */
export type IceEvent =
  | WithoutPeer<Extract<NodeEvent, { readonly type: SharedEvent }>>
  /** No pair works; the session stays on the path through the home agents. */
  | { readonly type: "failed"; readonly reason: IceFailure }
  /** `freeDelayMs` after nomination: unused candidates need no upkeep any more. */
  | { readonly type: "released" }
  /** The selected pair, which was in doubt, is alive. */
  | { readonly type: "pair-confirmed" }
  /** Nothing answers on the selected pair, on which data has stopped to come. */
  | { readonly type: "pair-silent" };

/** Why the selected pair is dead: no answer for too long, or a NAT shows this end at another address. */
export type PairDeath = Pick<Extract<NodeEvent, { readonly type: "pair-dead" }>, "reason" | "silentMs">;

/** Why an agent failed. */
export type IceFailure = "no-candidate-pairs" | "all-checks-failed" | "lite-lite";

/** Why a STUN message had no effect. */
export type IceDropReason =
  | "unauthenticated-request"
  | "request-rate"
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
  /** Checks with a success response. */
  readonly checksAnswered: number;
  readonly checksFailed: number;
  /** Requests retransmitted within a check. */
  readonly retransmits: number;
  readonly requestsReceived: number;
  /** Responses sent, by STUN status: 200, 400, 401, 420, 487. */
  readonly answersSent: Readonly<Record<number, number>>;
  readonly indicationsReceived: number;
  readonly keepalivesSent: number;
  /** Consent checks; not counted in `checksSent`. */
  readonly consentSent: number;
  readonly consentAnswered: number;
  readonly dropped: Readonly<Record<IceDropReason, number>>;
}

/**
 * State of the agent. `waiting`: the peer's description has not arrived. `failed` also follows when the selected pair
 * is dead: the agent still answers, and has no valid pair.
 */
export type IceState = "waiting" | "running" | "completed" | "failed";

/** One ICE agent: inputs, then queues, then queries. */
export interface IceMachine {
  /** Takes the peer's description and starts checks at once; a second call has no effect. */
  setRemote(now: InstantMs, remote: RemoteDescription): void;
  /**
   * Takes a decoded message with a valid FINGERPRINT: requests whose USERNAME begins with this agent's ufrag, responses
   * to its transactions, indications on its pairs. A message through the tunnel for the relayed candidate has home
   * address and port as `local`.
   */
  handleStun(now: InstantMs, datagram: StunDatagram): void;
  /** Takes an ICMP error for a datagram: the reason of a failure that may follow. */
  handleRefusal(refused: RefusedDatagram): void;
  /** Notes that data was sent on the selected pair, which postpones the keepalive. */
  noteDataSent(now: InstantMs): void;
  /** There is a reason to think that the selected pair is dead: consent is asked at once, and expires after a second. */
  suspect(now: InstantMs): void;
  /** Data has stopped to come on the selected pair: asks at once. `pair-silent` follows if nothing answers in a second. */
  question(now: InstantMs): void;
  /** The peer may have left the selected pair: asks at once. `pair-confirmed` or, in the end, `pair-dead` follows. */
  doubt(now: InstantMs): void;
  handleTimeout(now: InstantMs): void;
  /** Releases its place in the pacer. The agent is not used any more. */
  close(): void;
  /** `local` is the base to send from; the relayed candidate's base means "through the tunnel". */
  pollTransmit(): Transmit | undefined;
  pollEvent(): IceEvent | undefined;
  pollTimeout(): InstantMs | undefined;

  /** True when a request with this left part of USERNAME is for this agent. */
  ownsUsername(ufrag: string): boolean;
  /** True for the transaction ID (12 octets) of a request of this agent that it still remembers. */
  ownsTransaction(transactionId: Uint8Array): boolean;
  /**
   * True when data from `remote` at the socket `local` is accepted: on the selected pair alone once there is one, before
   * that on a valid pair. An authenticated check shows less: an overheard one can be sent from anywhere.
   */
  acceptsDataFrom(local: SocketAddress, remote: SocketAddress): boolean;
  /** True when signalling, which is authenticated itself, is accepted: pair valid, or an authenticated check on it. */
  acceptsSignallingFrom(local: SocketAddress, remote: SocketAddress): boolean;
  /** State of the pair of these candidates' addresses, as remote-candidates names them. */
  standingOf(local: SocketAddress, remote: SocketAddress): PairStanding;
  readonly state: IceState;
  readonly role: IceRole;
  /** Every valid pair, best first. */
  validPairs(): readonly ValidPair[];
  /** The nominated pair of highest priority. */
  selectedPair(): ValidPair | undefined;
  stats(): IceStats;
}
