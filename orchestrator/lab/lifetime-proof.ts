/** Compares how long boxes remember idle UDP mappings with how long they are declared to. */

import type { LifetimeObservation } from "@testbed/agent/control";
import type { Difference } from "./box-proof.ts";

/** What became of mappings that were left alone, behind the boxes in front of one LAN. */
export interface LifetimeProof {
  readonly router: string;
  readonly lan: string;
  readonly through: readonly string[];
  readonly node: string;
  readonly ipVersion: 4 | 6;
  /** Of the most forgetful of the boxes, seconds. */
  readonly declaredSec: number;
  readonly observed: LifetimeObservation;
  readonly differences: readonly Difference[];
}

/** In what mappings lived longer or shorter than declared. */
export function lifetimeDifferences(
  declaredSec: number,
  { aliveAfterMs, goneAfterMs }: LifetimeObservation,
): readonly Difference[] {
  const declared = `UDP lifetime ${declaredSec} s`;
  if (aliveAfterMs === undefined && goneAfterMs === undefined)
    return [{ declared, observed: "no answer to any question", isSilence: true }];
  if (aliveAfterMs !== undefined && aliveAfterMs > declaredSec * 1000)
    return [{ declared, observed: `a mapping after ${aliveAfterMs / 1000} s of silence`, isSilence: false }];
  if (goneAfterMs !== undefined && goneAfterMs < declaredSec * 1000)
    return [{ declared, observed: `none after ${goneAfterMs / 1000} s of silence`, isSilence: true }];
  return [];
}
