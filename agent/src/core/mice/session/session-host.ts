/** The interface of a session for its parts. */

import type { LocalCandidate } from "../../ice/candidate.ts";
import type { IceCredentials } from "../../ice/ice-machine.ts";
import type { InstantMs } from "../../machine.ts";
import type { MessageRate } from "../../mip6/message-rate.ts";
import type { Generation } from "./generation.ts";
import type { SessionEnvironment } from "./session-environment.ts";
import type { SessionPath } from "./session-path.ts";

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
  /** Credentials of the peer's latest offer or answer, kept when this node begins a new generation. */
  remoteCredentials: IceCredentials | undefined;
  /** Replaces the generation and its checks; the data path remains. */
  adopt(generation: Generation): void;
  /** The peer has deleted its binding: it has left, and data takes the home agents' path. */
  end(now: InstantMs): void;
  /** Reports that the current attempt leads to no direct path; data takes the home agents' path. */
  fail(now: InstantMs, reason: string): void;
}
