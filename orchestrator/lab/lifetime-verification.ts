/** Compares the measured lifetime of idle UDP mappings with the declared one. */

import type { LifetimeObservation } from "@testbed/agent/control";
import type { Difference } from "./difference.ts";

/** The outcome of idle mappings in the NATs in front of one LAN. */
export interface LifetimeVerification {
  readonly router: string;
  readonly lan: string;
  readonly through: readonly string[];
  readonly node: string;
  readonly ipVersion: 4 | 6;
  /** The shortest lifetime among those NATs, seconds. */
  readonly declaredSec: number;
  /** Whether packets from outside refresh mappings; absent where the NATs differ in it. */
  readonly inboundRefresh?: boolean;
  readonly observed: LifetimeObservation;
  readonly differences: readonly Difference[];
}

/** Where mappings lived longer or shorter than declared, or were refreshed by other packets than declared. */
export function lifetimeDifferences(
  { declaredSec, inboundRefresh }: Pick<LifetimeVerification, "declaredSec" | "inboundRefresh">,
  observed: LifetimeObservation,
): readonly Difference[] {
  const { aliveAfterMs, goneAfterMs } = observed;
  const declared = `UDP lifetime ${declaredSec} s`;
  if (aliveAfterMs === undefined && goneAfterMs === undefined)
    return [{ declared, observed: "no answer to any question", isSilence: true }];
  if (aliveAfterMs !== undefined && aliveAfterMs > declaredSec * 1000)
    return [{ declared, observed: `a mapping after ${aliveAfterMs / 1000} s of silence`, isSilence: false }];
  if (goneAfterMs !== undefined && goneAfterMs < declaredSec * 1000)
    return [{ declared, observed: `none after ${goneAfterMs / 1000} s of silence`, isSilence: true }];
  return [
    ...refreshDifferences("outbound", true, observed.outboundRefresh),
    ...refreshDifferences("inbound", inboundRefresh, observed.inboundRefresh),
  ];
}

function refreshDifferences(
  way: "outbound" | "inbound",
  declared: boolean | undefined,
  observed: boolean | undefined,
): readonly Difference[] {
  if (declared === undefined || declared === observed) return [];
  const kept = (isKept: boolean): string => `mappings ${isKept ? "kept" : "not kept"} alive by ${way} packets`;
  const found = observed === undefined ? "no answer that would tell" : observed ? "kept" : "not kept";
  return [{ declared: kept(declared), observed: found, isSilence: observed !== true }];
}
