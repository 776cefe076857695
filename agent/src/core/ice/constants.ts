/** Numbers of ICE as M-ICE uses it, each with its source. Instants and delays are milliseconds. */

import type { CandidateType } from "../events.ts";
import type { IceProfile } from "../node/agent-settings.ts";

/** Pacing and retransmission of one profile (SPEC 2.3). */
export interface ProfileTiming {
  /** Ta: the least time between two new transactions; retransmissions are not paced. */
  readonly taMs: number;
  /** Floor of the initial retransmission timeout, for gathering and for checks alike. */
  readonly rtoFloorMs: number;
  /** Which pairs stretch the RTO of a check: one Ta for each of them. */
  readonly rtoCounts: "waiting" | "waiting-and-in-progress";
}

/** Timers and limits of one agent that a configuration may override. */
export interface IceLimits {
  /** How long better pairs may hold up a valid pair that is not relayed; SPEC 2.9 (b). */
  readonly nominationDelayMs: number;
  /** How long a valid relayed pair waits for a better one; SPEC 2.9 (d). */
  readonly relayNominationDelayMs: number;
  /** An unanswered better pair counts as hopeless after this many round trips of the valid pair; 0 switches the rule off. */
  readonly settleRtts: number;
  /** ... but never before this time after its last request. */
  readonly settleFloorMs: number;
  /** How long unused candidates outlive the nomination; RFC 8445 section 8.3: "at least three seconds". */
  readonly freeDelayMs: number;
  /** Tr: silence on the selected pair before a keepalive; RFC 8445 section 11: at least 15 s. */
  readonly keepaliveMs: number;
  /** Mean time between two consent checks of the selected pair; RFC 7675 section 5.1. 0, as in the draft, sends none. */
  readonly consentIntervalMs: number;
  /** ... and between those that follow an unanswered one, > 0; ours, the RTO of RFC 8489 section 6.2.1. */
  readonly consentRetryMs: number;
  /** For how long they stay unanswered until the pair is dead; ours, explained in `consent.ts`. */
  readonly consentTimeoutMs: number;
  /** Pairs in the check list; draft section 14.4.2 and RFC 8445 section 6.1.2.5. */
  readonly maxPairs: number;
  /** Remote candidates taken from one offer or answer; A-38. */
  readonly maxRemoteCandidates: number;
}

/** The two profiles; `ice16` is that of the draft's own figures (20 ms, 7.9 s), `rfc8445` that of RFC 8445 section 14. */
export const PROFILE_TIMING: Readonly<Record<IceProfile, ProfileTiming>> = {
  ice16: { taMs: 20, rtoFloorMs: 100, rtoCounts: "waiting" },
  rfc8445: { taMs: 50, rtoFloorMs: 500, rtoCounts: "waiting-and-in-progress" },
};

/** Defaults of SPEC 8.7, which a node turns consent on in; the two settle values are explained in `nomination.ts`. */
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

/** After this time offers go out with the candidates at hand; ours: three repetitions of the profile `ice16` fit in. */
export const GATHERING_TIMEOUT_MS = 1500;

/** How often a mapping is refreshed at its STUN server; like Tr, RFC 8445 section 11. */
export const MAPPING_REFRESH_MS = 15_000;

/** Rc: requests of one transaction; RFC 8489 section 6.2.1. */
export const REQUEST_COUNT = 7;

/** Rm: the last request is waited for this many RTO; RFC 8489 section 6.2.1. */
export const TAIL_MULTIPLE = 16;

/**
 * Triggered checks in a row before a Waiting pair gets its turn. Ours: RFC 8445 section 6.1.4.2 serves the queue first
 * without end, so that two NATs which give every check a new address would starve the relayed pair.
 */
export const TRIGGERED_IN_A_ROW = 3;

/** Checks of the peer whose repetitions are recognised, per pair. Ours: a peer has a few on their way at once, if that. */
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
