/** The oracle: which path theory expects for a session of a topology, and why. */

import type { CandidateTypeName, PathName, ResolvedSession, ResolvedTopology } from "./resolved.ts";

export interface Prediction {
  /** Name of the session, `from-to`. */
  readonly session: string;
  readonly path: PathName;
  /** Types of the selected pair, seen from the session's `from`: local, remote. Absent when timing decides. */
  readonly selected?: readonly [CandidateTypeName, CandidateTypeName];
  /** The reasoning, one sentence each. */
  readonly why: readonly string[];
}

/** Predicts one session. */
export function predictSession(topology: ResolvedTopology, session: ResolvedSession): Prediction {
  return { session: session.name, path: "none", why: [`${topology.name} has not been examined`] };
}
