/** The timeouts of a lab: one value, so that all of them can be scaled for a slow machine. */

export interface LabTimeouts {
  /** From a node's start until it reports `ready`; plus `readyPerNodeMs` for every node that starts with it. */
  readonly readyMs: number;
  readonly readyPerNodeMs: number;
  /** Until the nodes on a probe's path are ready. If one never is, `readyMs` ends the run. */
  readonly probedNodesMs: number;
  /** How long silence must last to count as an answer to a probe, per attempt. */
  readonly probeSilenceMs: readonly number[];
  /** Further attempts where links on the path lose packets. */
  readonly lossyProbeSilenceMs: readonly number[];
  readonly registrationMs: number;
  /** From the offer until both ends have nominated a pair, or one of them reports failure. */
  readonly nominationMs: number;
  /** From there until both ends send their data over that pair. */
  readonly bindingMs: number;
  /** Added to the three above, and to `replyMs`, for each other session that does the same at the same time. */
  readonly perRivalMs: number;
  /** Until an unanswered packet counts as lost. */
  readonly replyMs: number;
  /** From the last event of a timeline until its sessions are quiescent. */
  readonly quiescenceMs: number;
  /** From `finish` or `reset` until a node's last report. */
  readonly finishMs: number;
  /** From a node's fatal error, or the end of its control channel, until it exits. */
  readonly exitMs: number;
  /** Silence after which it is looked whether something stops a node, which reports once a second. */
  readonly silenceMs: number;
  /** Silence after which a node has failed although nothing stops it. */
  readonly longSilenceMs: number;
}

/** All timeouts, multiplied by `factor`. */
export function labTimeouts(factor: number): LabTimeouts {
  const ms = (usualMs: number): number => Math.ceil(usualMs * factor);
  return {
    // A node starts within a second or two even on a loaded machine, unless many do at once.
    readyMs: ms(20_000),
    readyPerNodeMs: ms(500),
    probedNodesMs: ms(30_000),
    // The first attempt is short, and enough for a NAT that behaves as declared. Only where silence contradicts the
    // declaration is the probe repeated; servers answered after 1 s at a load of 25 on 2 cores.
    probeSilenceMs: [60, 150, 500, 2000].map(ms),
    lossyProbeSilenceMs: [1000, 1000, 1000, 1000].map(ms),
    // One round trip; the first retransmissions follow after 1 s and 2 s (RFC 6275 section 11.8).
    registrationMs: ms(10_000),
    // Longer than all checks of a list may take to fail (SPEC 8.7), after which the agent reports failure itself.
    nominationMs: ms(25_000),
    // One round trip on a path that has just been verified.
    bindingMs: ms(3000),
    // A node shared by many sessions answers them in turn, and a late answer is not a lost one.
    perRivalMs: ms(100),
    replyMs: ms(1000),
    // Longer than it takes to detect a dead pair (16 s) and to complete a restart, successful or not.
    quiescenceMs: ms(45_000),
    // Only the rest of the captures is left to send.
    finishMs: ms(5000),
    exitMs: ms(1000),
    silenceMs: ms(1500),
    // On a machine that is many times overloaded, a process may wait for seconds.
    longSilenceMs: ms(10_000),
  };
}
