/** The valid list: pairs that a successful check has made valid (SPEC 2.7; RFC 8445 section 7.2.5.3.2). */

import { sameSocketAddress } from "../address.ts";
import type { IceRole } from "../events.ts";
import type { InstantMs } from "../machine.ts";
import { type LocalCandidate, sameLocalCandidate } from "./candidate.ts";
import { bestFirst } from "./check-list.ts";
import type { ValidPair } from "./ice-machine.ts";
import type { NominationCandidate } from "./nomination.ts";
import { type CandidatePair, isRelayed } from "./pair.ts";
import { pairPriority } from "./priority.ts";

/** A valid pair with the agent's state for it. */
export interface ProvenPair extends ValidPair, NominationCandidate {
  priority: bigint;
  isNominated: boolean;
  rttMs: number;
  /** The pair whose check made it valid: repeating that check nominates this pair. */
  readonly provenBy: CandidatePair;
}

export class ValidList {
  #pairs: ProvenPair[] = [];

  /** Best first. */
  get pairs(): readonly ProvenPair[] {
    return this.#pairs;
  }

  /** The nominated pair of highest priority: a later nomination counts only for a better pair. */
  get selected(): ProvenPair | undefined {
    return this.#pairs.find((pair) => pair.isNominated);
  }

  /** Adds the result of a check of `provenBy`, or updates the round trip of a known pair. */
  prove(
    now: InstantMs,
    role: IceRole,
    local: LocalCandidate,
    provenBy: CandidatePair,
    rttMs: number,
  ): { readonly pair: ProvenPair; readonly isNew: boolean } {
    const known = this.#pairs.find(
      (pair) =>
        sameLocalCandidate(pair.local, local) && sameSocketAddress(pair.remote.address, provenBy.remote.address),
    );
    if (known !== undefined) {
      known.rttMs = rttMs;
      return { pair: known, isNew: false };
    }
    const { remote } = provenBy;
    const priority = pairPriority(role, local.priority, remote.priority);
    const direct = { local, remote, priority, isNominated: false, rttMs, validAt: now, provenBy };
    const pair: ProvenPair = { ...direct, isRelayed: isRelayed(direct) || isRelayed(provenBy) };
    this.#pairs = [...this.#pairs, pair].toSorted(bestFirst);
    return { pair, isNew: true };
  }

  /** Removes the results of a pair's checks, after a later check of it failed. */
  disprove(provenBy: CandidatePair): void {
    this.#pairs = this.#pairs.filter((pair) => pair.provenBy !== provenBy);
  }

  /** Removes everything: all results are as old as the selected pair's. */
  clear(): void {
    this.#pairs = [];
  }

  provenBy(pair: CandidatePair): ProvenPair | undefined {
    return this.#pairs.find((proven) => proven.provenBy === pair);
  }

  /** Recomputes all priorities after a role change. */
  takeRole(role: IceRole): void {
    for (const pair of this.#pairs) pair.priority = pairPriority(role, pair.local.priority, pair.remote.priority);
    this.#pairs = this.#pairs.toSorted(bestFirst);
  }
}
