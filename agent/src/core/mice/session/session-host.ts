/** What the parts of a session see of the whole. */

import type { LocalCandidate } from "../../ice/candidate.ts";
import type { IceCredentials } from "../../ice/ice-machine.ts";
import type { InstantMs } from "../../machine.ts";
import type { MessageRate } from "../../mip6/message-rate.ts";
import type { Generation } from "./generation.ts";
import type { SessionEnvironment } from "./session-environment.ts";
import type { SessionPath } from "./session-path.ts";

/** Takes all candidates. */
export type GatheringDone = (now: InstantMs, candidates: readonly LocalCandidate[]) => void;

export interface SessionHost {
  readonly peer: string;
  readonly env: SessionEnvironment;
  /** Gathers for an offer or answer of this session; see `SessionEnvironment.gather`. */
  gather(now: InstantMs, done: GatheringDone): () => void;
  readonly path: SessionPath;
  /** How often the peer is asked for something. */
  readonly rate: MessageRate;
  readonly generation: Generation | undefined;
  /** Credentials of the peer's latest offer or answer, also after this node has begun a new generation. */
  remoteCredentials: IceCredentials | undefined;
  /** Replaces the generation, and with it the checks; the data path stays. */
  adopt(generation: Generation): void;
  /** The peer has deleted its binding: it is gone, and data takes the home agents' path. */
  end(now: InstantMs): void;
  /** Reports that no direct path will come of what is under way; data takes the home agents' path. */
  fail(now: InstantMs, reason: string): void;
}
