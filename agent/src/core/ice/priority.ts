/** Candidate and pair priorities (SPEC 2.2; RFC 8445 sections 5.1.2.1 and 6.1.2.3). */

import type { CandidateType, IceRole } from "../events.ts";
import { COMPONENT_ID, HIGHEST_LOCAL_PREFERENCE, TYPE_PREFERENCE } from "./constants.ts";

/** Priority of a candidate, 1..2^31-1; `localPreference` is 0..65535, higher is better. */
export function candidatePriority(type: CandidateType, localPreference = HIGHEST_LOCAL_PREFERENCE): number {
  return 2 ** 24 * TYPE_PREFERENCE[type] + 2 ** 8 * localPreference + (256 - COMPONENT_ID);
}

/** The local preference inside a candidate's priority. */
export function localPreferenceOf(priority: number): number {
  return (priority >>> 8) & 0xffff;
}

/** Priority that a check announces for the candidate it may reveal: this one as peer-reflexive (RFC 8445 section 7.1.1). */
export function announcedPriority(priority: number): number {
  return candidatePriority("peer-reflexive", localPreferenceOf(priority));
}

/** Priority of a pair, equal at both ends: 2^32*min(G,D) + 2*max(G,D) + (G>D), G that of the controlling side. */
export function pairPriority(role: IceRole, localPriority: number, remotePriority: number): bigint {
  const [g, d] = role === "controlling" ? [localPriority, remotePriority] : [remotePriority, localPriority];
  return (BigInt(Math.min(g, d)) << 32n) + 2n * BigInt(Math.max(g, d)) + (g > d ? 1n : 0n);
}
