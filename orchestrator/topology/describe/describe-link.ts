/** Link impairments in words. */

import type { Impairment, PacketLimits } from "@testbed/agent/control";
import type { ResolvedLinkImpairments } from "../model/resolved.ts";

/** Fields that may be there and undefined, which counts as absent. */
type Loose<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

type Figures = Loose<Omit<Impairment, "limits">> & { readonly limits?: Loose<PacketLimits> | undefined };

/** `20 ms ± 2 ms, loss 1 % in runs of 3, 20 Mbit/s, queue 100`; `as it is` for no impairment. */
export function describeImpairment(impairment: Figures): string {
  const { delayMs, jitterMs, lossRate, lossBurst, duplicateRate, reorderRate, rateBitPerSec, queuePackets } =
    impairment;
  const { corruptRate, limits: { mtuOctets, isSilent, dropsFragments } = {} } = impairment;
  const parts = [
    delayMs === undefined
      ? undefined
      : `${figure(delayMs)} ms${jitterMs === undefined ? "" : ` ± ${figure(jitterMs)} ms`}`,
    lossRate === undefined
      ? undefined
      : `loss ${percent(lossRate)}${lossBurst === undefined ? "" : ` in runs of ${figure(lossBurst)}`}`,
    duplicateRate === undefined ? undefined : `duplicates ${percent(duplicateRate)}`,
    reorderRate === undefined ? undefined : `reordered ${percent(reorderRate)}`,
    rateBitPerSec === undefined ? undefined : bitRate(rateBitPerSec),
    queuePackets === undefined ? undefined : `queue ${queuePackets}`,
    corruptRate === undefined ? undefined : `corrupts ${percent(corruptRate)}`,
    mtuOctets === undefined
      ? undefined
      : `MTU ${mtuOctets}${isSilent === true ? ", larger packets dropped silently" : ""}`,
    dropsFragments === true ? "fragments dropped" : undefined,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? "as it is" : parts.join(", ");
}

/** One text if both directions are alike: `["20 ms"]`, else `["out: 20 ms", "in: loss 1 %"]`. */
export function describeLink({ out, in: inbound }: ResolvedLinkImpairments): readonly string[] {
  const [leaving, arriving] = [out, inbound].map((impairment) => impairment && describeImpairment(impairment));
  if (leaving === arriving) return leaving === undefined ? [] : [leaving];
  return [
    ...(leaving === undefined ? [] : [`out: ${leaving}`]),
    ...(arriving === undefined ? [] : [`in: ${arriving}`]),
  ];
}

function percent(share: number): string {
  return `${figure(share * 100)} %`;
}

function bitRate(bitPerSec: number): string {
  const [divisor, unit] = [[1e9, "Gbit/s"] as const, [1e6, "Mbit/s"] as const, [1e3, "kbit/s"] as const].find(
    ([limit]) => bitPerSec >= limit,
  ) ?? [1, "bit/s"];
  return `${figure(bitPerSec / divisor)} ${unit}`;
}

/** At most four decimal places. */
function figure(value: number): string {
  return String(Number(value.toFixed(4)));
}
