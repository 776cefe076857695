/** Candidates of both ends: how they are made, and which are redundant (SPEC 2.2). */

import { formatSocketAddress, type SocketAddress, sameSocketAddress } from "../address.ts";
import type { CandidateType, CandidateView } from "../events.ts";
import { addressOf, type LocalSocket } from "../local-socket.ts";
import { HIGHEST_LOCAL_PREFERENCE } from "./constants.ts";
import { candidatePriority } from "./priority.ts";

/** A candidate of this node. */
export interface LocalCandidate {
  readonly type: CandidateType;
  readonly address: SocketAddress;
  /** Source of its packets: its socket, or home address and port for the relayed candidate. */
  readonly base: LocalSocket;
  /** 1..2^31-1. */
  readonly priority: number;
  /** Related address for offers: base of a reflexive candidate, mapped address of the tunnel for the relayed one. */
  readonly related?: SocketAddress;
}

/** A candidate of the peer, signalled or learned from its checks. */
export interface RemoteCandidate {
  readonly type: CandidateType;
  readonly address: SocketAddress;
  readonly priority: number;
}

/** The host candidate of a socket. `rank` 0 is the best socket of the node. */
export function hostCandidate(base: LocalSocket, rank = 0): LocalCandidate {
  return { type: "host", address: addressOf(base), base, priority: candidatePriority("host", preferenceOf(rank)) };
}

/** The server-reflexive candidate that a STUN server reports for `base`. */
export function serverReflexiveCandidate(address: SocketAddress, base: LocalSocket, rank = 0): LocalCandidate {
  const priority = candidatePriority("server-reflexive", preferenceOf(rank));
  return { type: "server-reflexive", address, base, priority, related: addressOf(base) };
}

/** The relayed candidate: the home address. `related` is the tunnel's mapped address, if known. */
export function relayedCandidate(address: SocketAddress, related?: SocketAddress): LocalCandidate {
  const candidate = { type: "relayed", address, base: address, priority: candidatePriority("relayed") } as const;
  return related === undefined ? candidate : { ...candidate, related };
}

/** Drops candidates with the address and base of a better one; best first (RFC 8445 section 5.1.3). */
export function withoutRedundant(candidates: readonly LocalCandidate[]): LocalCandidate[] {
  const kept = new Map<string, LocalCandidate>();
  for (const candidate of byPriority(candidates)) {
    const key = `${formatSocketAddress(candidate.address)} ${formatSocketAddress(candidate.base)}`;
    if (!kept.has(key)) kept.set(key, candidate);
  }
  return [...kept.values()];
}

/** Highest priority first; equal ones keep their order. */
export function byPriority<C extends { readonly priority: number }>(candidates: readonly C[]): C[] {
  return candidates.toSorted((a, b) => b.priority - a.priority);
}

/** True for the same candidate of this node. */
export function sameLocalCandidate(a: LocalCandidate, b: LocalCandidate): boolean {
  return sameSocketAddress(a.address, b.address) && sameSocketAddress(a.base, b.base);
}

/** A candidate in an event. */
export function candidateView(candidate: LocalCandidate | RemoteCandidate): CandidateView {
  const { type, address, priority } = candidate;
  return "base" in candidate
    ? { type, address, base: addressOf(candidate.base), priority }
    : { type, address, priority };
}

function preferenceOf(rank: number): number {
  return Math.max(HIGHEST_LOCAL_PREFERENCE - rank, 0);
}
