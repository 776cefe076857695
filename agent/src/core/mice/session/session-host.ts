/** The interface of a session for its parts. */

import type { LocalCandidate } from "../../ice/candidate.ts";
import type { IceCredentials, ValidPair } from "../../ice/ice-machine.ts";
import type { InstantMs } from "../../machine.ts";
import type { MessageRate } from "../../mip6/message-rate.ts";
import type { Generation } from "./generation.ts";
import type { SessionEnvironment } from "./session-environment.ts";
import type { RouteOwner, SessionPath } from "./session-path.ts";

/** Receives all candidates. */
export type GatheringDone = (now: InstantMs, candidates: readonly LocalCandidate[]) => void;

export interface SessionHost {
  readonly peer: string;
  readonly env: SessionEnvironment;
  /** Gathers for an offer or answer of this session; see `SessionEnvironment.gather`. */
  gather(now: InstantMs, done: GatheringDone): () => void;
  readonly path: SessionPath;
  /** Rate limit of requests to the peer. */
  readonly rate: MessageRate;
  readonly generation: Generation | undefined;
  /** The generation before, whose pair carries data until the current one has proved a path. */
  readonly standby: Generation | undefined;
  /** Credentials of the peer's latest offer or answer, kept when this node begins a new generation. */
  remoteCredentials: IceCredentials | undefined;
  /** Begins another generation; the data path remains. */
  adopt(now: InstantMs, generation: Generation): void;
  /** Data goes direct on this pair from now on, because of this binding. */
  takeDirect(now: InstantMs, pair: ValidPair, owner: RouteOwner): void;
  /** The peer may have left the pair in use: data takes the home agents' path until the pair has answered. */
  doubt(now: InstantMs): void;
  /** An offer of the peer has these credentials: if they are of the generation before, he knows no later one. */
  recall(credentials: IceCredentials): void;
  /** The peer has deleted its binding: it has left, and data takes the home agents' path. */
  end(now: InstantMs): void;
  /**
   * The current attempt leads to no direct path. Data takes the home agents' path; on a direct pair that there is already
   * it goes on once that has answered.
   */
  fail(now: InstantMs, reason: string): void;
}
