/** Constants of ICE as M-ICE uses it, each with its source. Instants and delays are milliseconds. */

import type { CandidateType } from "../events.ts";
import type { IceProfile } from "../node/agent-settings.ts";

/** Pacing and retransmission of one profile (SPEC 2.3). */
export interface ProfileTiming {
  /** Ta: least time between two new transactions; retransmissions are not paced. */
  readonly taMs: number;
  /** Least initial retransmission timeout, for gathering and for checks. */
  readonly rtoFloorMs: number;
  /** Which pairs increase the RTO of a check, by one Ta each. */
  readonly rtoCounts: "waiting" | "waiting-and-in-progress";
}

/** Timers and limits of one agent that a configuration may override. */
export interface IceLimits {
  /** How long better pairs may delay the nomination of a valid pair that is not relayed; SPEC 2.9 (b). */
  readonly nominationDelayMs: number;
  /** How long a valid relayed pair waits for a better one; SPEC 2.9 (d). */
  readonly relayNominationDelayMs: number;
  /** A better pair is hopeless when unanswered for this many round trips of the valid pair; 0 disables the rule. */
  readonly settleRtts: number;
  /** ... but not before this time after its last request. */
  readonly settleFloorMs: number;
  /** How long unused candidates are kept after the nomination; RFC 8445 section 8.3: "at least three seconds". */
  readonly freeDelayMs: number;
  /** Tr: silence on the selected pair before a keepalive; RFC 8445 section 11: at least 15 s. */
  readonly keepaliveMs: number;
  /** Mean time between two consent checks of the selected pair; RFC 7675 section 5.1. 0, as in the draft, sends none. */
  readonly consentIntervalMs: number;
  /** ... and between those that follow an unanswered one, > 0; profile: the RTO of RFC 8489 section 6.2.1. */
  readonly consentRetryMs: number;
  /** How long they stay unanswered until the pair is dead; profile, explained in `consent.ts`. */
  readonly consentTimeoutMs: number;
  /** Maximum number of pairs in the check list; draft section 14.4.2 and RFC 8445 section 6.1.2.5. */
  readonly maxPairs: number;
  /** Maximum number of remote candidates of one offer or answer; A-38. */
  readonly maxRemoteCandidates: number;
}

/** The two profiles: `ice16` has the draft's figures (20 ms, 7.9 s), `rfc8445` those of RFC 8445 section 14. */
export const PROFILE_TIMING: Readonly<Record<IceProfile, ProfileTiming>> = {
  ice16: { taMs: 20, rtoFloorMs: 100, rtoCounts: "waiting" },
  rfc8445: { taMs: 50, rtoFloorMs: 500, rtoCounts: "waiting-and-in-progress" },
};

/** Defaults of SPEC 8.7, without consent, which a node switches on. `nomination.ts` explains the two settle values. */
export const DEFAULT_LIMITS: IceLimits = {
  nominationDelayMs: 100,
  relayNominationDelayMs: 2000,
  settleRtts: 3,
  settleFloorMs: 50,
  freeDelayMs: 3000,
  keepaliveMs: 15_000,
  consentIntervalMs: 0,
  consentRetryMs: 500,
  consentTimeoutMs: 10_000,
  maxPairs: 100,
  maxRemoteCandidates: 32,
};

/**
 * Longest gathering; then offers have the candidates found so far. Profile: enough for three retransmissions of
 * `ice16`.
 */
export const GATHERING_TIMEOUT_MS = 1500;

/** Interval between refreshes of a mapping at its STUN server; like Tr, RFC 8445 section 11. */
export const MAPPING_REFRESH_MS = 15_000;

/** Rc: requests of one transaction; RFC 8489 section 6.2.1. */
export const REQUEST_COUNT = 7;

/** Rm: timeout after the last request in RTOs; RFC 8489 section 6.2.1. */
export const TAIL_MULTIPLE = 16;

/**
 * Maximum number of triggered checks in a row while another pair is Waiting. Profile: RFC 8445 section 6.1.4.2 serves
 * the queue without limit, so that two NATs with address-and-port-dependent mapping would starve the relayed pair.
 */
export const TRIGGERED_IN_A_ROW = 3;

/**
 * Checks of the peer per pair whose retransmissions are recognised. Profile: a peer rarely has more in progress at
 * once.
 */
export const REMEMBERED_TRIGGERS = 16;

/** Type preferences; RFC 8445 section 5.1.2.2, peer-reflexive above server-reflexive as it demands. */
export const TYPE_PREFERENCE: Readonly<Record<CandidateType, number>> = {
  host: 126,
  "peer-reflexive": 110,
  "server-reflexive": 100,
  relayed: 0,
};

/** Local preference of a single-homed host; RFC 8445 section 5.1.2.1. */
export const HIGHEST_LOCAL_PREFERENCE = 65_535;

/** The only component: one UDP flow between two nodes. */
export const COMPONENT_ID = 1;
