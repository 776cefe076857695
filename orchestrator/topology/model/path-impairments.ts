/** The combined effect of link impairments on packets that pass several nodes. */

import type { Impairment } from "@testbed/agent/control";
import type { ResolvedNode } from "./resolved.ts";

/** A round trip under link impairments. */
export interface RoundTripImpairment {
  /** Most milliseconds that the links add. */
  readonly addedMs: number;
  /** Share of round trips that are lost on the way, 0..1. */
  readonly lossRate: number;
}

/** Full frames that may be queued before a packet where a link has a rate. */
const FRAMES_AHEAD = 5;
const FULL_FRAME_BITS = 1514 * 8;

/** Nobody waits longer for a round trip, whatever the links of a topology come to: an hour. */
const MOST_ADDED_MS = 3_600_000;

/** A round trip through these nodes that crosses each of their links once in each direction. */
export function roundTripImpairment(nodes: readonly ResolvedNode[]): RoundTripImpairment {
  const impairments = nodes.flatMap(({ interfaces }) =>
    interfaces.flatMap(({ impairment }) => [impairment?.out, impairment?.in].filter((own) => own !== undefined)),
  );
  return {
    addedMs: Math.min(
      MOST_ADDED_MS,
      impairments.reduce((sum, impairment) => sum + longestDelayMs(impairment), 0),
    ),
    lossRate:
      1 -
      impairments.reduce((share, { lossRate = 0, corruptRate = 0 }) => share * (1 - lossRate) * (1 - corruptRate), 1),
  };
}

function longestDelayMs({ delayMs = 0, jitterMs = 0, rateBitPerSec }: Impairment): number {
  const waitMs = rateBitPerSec === undefined ? 0 : (FRAMES_AHEAD * FULL_FRAME_BITS * 1000) / rateBitPerSec;
  return delayMs + jitterMs + waitMs;
}
