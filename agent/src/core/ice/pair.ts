/** Candidate pairs: the rows of a check list. */

import { formatSocketAddress, type SocketAddress } from "../address.ts";
import type { CandidateType, IceRole, PairView } from "../events.ts";
import type { InstantMs } from "../machine.ts";
import { candidateView, type LocalCandidate, type RemoteCandidate } from "./candidate.ts";
import { pairPriority } from "./priority.ts";

/** States of SPEC 2.5. There is no Frozen state, because there is one component and one stream. */
type PairState = "waiting" | "in-progress" | "succeeded" | "failed";

/** A pair on a check list. The check list and the agent change it in place. */
export interface CandidatePair {
  /** Its base is the source of checks. */
  readonly local: LocalCandidate;
  readonly remote: RemoteCandidate;
  priority: bigint;
  state: PairState;
  /** When a request was last sent on it, retransmissions included. */
  lastSentAt: InstantMs | undefined;
  /** The controlling peer sent USE-CANDIDATE on it: it is nominated as soon as it is valid. */
  isNominatedByPeer: boolean;
  /** Transaction IDs of the peer's latest checks that have triggered a check: retransmissions trigger nothing. */
  readonly triggers: Set<string>;
}

/** A pair that has not been checked yet. */
export function waitingPair(role: IceRole, local: LocalCandidate, remote: RemoteCandidate): CandidatePair {
  const priority = pairPriority(role, local.priority, remote.priority);
  return {
    local,
    remote,
    priority,
    state: "waiting",
    lastSentAt: undefined,
    isNominatedByPeer: false,
    triggers: new Set(),
  };
}

/** Key of the addresses on the wire: pairs with one key are one path, whatever their local candidates. */
export function pathKey(base: SocketAddress, remote: SocketAddress): string {
  return `${formatSocketAddress(base)} ${formatSocketAddress(remote)}`;
}

/** True when either end is a home address, so that packets go through a home agent. */
export function isRelayed({ local, remote }: { readonly local: Typed; readonly remote: Typed }): boolean {
  return local.type === "relayed" || remote.type === "relayed";
}

interface Typed {
  readonly type: CandidateType;
}

/** A pair in an event. */
export function pairView(pair: { readonly local: LocalCandidate; readonly remote: RemoteCandidate }): PairView {
  return { local: candidateView(pair.local), remote: candidateView(pair.remote) };
}
