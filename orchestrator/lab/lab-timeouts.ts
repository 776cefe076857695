/** How long a lab waits for what it needs to see: one value, so that a slow machine can have all of it scaled. */

export interface LabTimeouts {
  /** From a node's start until it reports `ready`; `readyPerNodeMs` more for every node that starts with it. */
  readonly readyMs: number;
  readonly readyPerNodeMs: number;
  /** Until the nodes on a probe's way are ready. The run ends by `readyMs` when one of them never is. */
  readonly probedNodesMs: number;
  /** How long silence must last to count as an answer to a probe, attempt by attempt. */
  readonly probeSilenceMs: readonly number[];
  /** Further attempts where links on the way lose packets. */
  readonly lossyProbeSilenceMs: readonly number[];
  readonly registrationMs: number;
  /** From the offer until both ends have nominated a pair, or one of them reports that it failed. */
  readonly nominationMs: number;
  /** From there until both ends send their data over that pair. */
  readonly bindingMs: number;
  /** More of the three above, and of `replyMs`, for each other session that does the same at the same time. */
  readonly perRivalMs: number;
  /** Until a packet without an answer counts as lost. */
  readonly replyMs: number;
  /** From the last event of a timeline until its sessions are quiescent. */
  readonly quiescenceMs: number;
  /** From `finish` or `reset` until a node's last report. */
  readonly finishMs: number;
  /** How long a node that has reported a fatal error may take to end. */
  readonly exitMs: number;
}

/** All timeouts, `factor` times as long as on a usual machine. */
export function labTimeouts(factor: number): LabTimeouts {
  const ms = (usualMs: number): number => Math.ceil(usualMs * factor);
  return {
    // A node starts within a second or two even on a loaded machine, unless many do at once.
    readyMs: ms(20_000),
    readyPerNodeMs: ms(500),
    probedNodesMs: ms(30_000),
    // The first attempt is quick, and enough for a middlebox that is as declared. Only where silence speaks against it,
    // it is probed again; servers answered after 1 s at a load of 25 on 2 cores.
    probeSilenceMs: [60, 150, 500, 2000].map(ms),
    lossyProbeSilenceMs: [1000, 1000, 1000, 1000].map(ms),
    // One round trip; its first retransmissions come after 1 s and 2 s (RFC 6275 section 11.8).
    registrationMs: ms(10_000),
    // Longer than every check of a list may take to fail (SPEC 8.7), after which the agent says so itself.
    nominationMs: ms(25_000),
    // One round trip on a path that has just been shown to work.
    bindingMs: ms(3000),
    // A node at which many sessions meet answers one after the other, and what is late is not lost.
    perRivalMs: ms(100),
    replyMs: ms(1000),
    // Longer than a dead pair takes to be noticed (16 s) and a restart to end in either way.
    quiescenceMs: ms(45_000),
    // Nothing is left to do but to send the rest of the captures.
    finishMs: ms(5000),
    exitMs: ms(1000),
  };
}
