/** Shapes of link impairments and their counters. */

import type { Impairment, PacketLimits } from "../core/link/impairment.ts";
import {
  IMPAIRERS,
  type ImpairedLink,
  type InterfaceImpairments,
  LINK_DIRECTIONS,
  type LinkFigures,
} from "./messages.ts";
import {
  boolean,
  integer,
  number,
  numberBetween,
  object,
  oneOf,
  optional,
  record,
  type Shape,
  string,
  text,
} from "./shape.ts";

/** Delays are at most an hour. */
const duration = numberBetween(0, 3_600_000);
const share = numberBetween(0, 1);
const MAX_BIT_PER_SEC = 1e12;

/** Impairment of one direction. */
export const impairment: Shape<Impairment> = object<Impairment>({
  delayMs: optional(duration),
  jitterMs: optional(duration),
  lossRate: optional(share),
  lossBurst: optional(numberBetween(1, 1_000_000)),
  duplicateRate: optional(share),
  reorderRate: optional(share),
  rateBitPerSec: optional(numberBetween(1, MAX_BIT_PER_SEC)),
  queuePackets: optional(integer(1, 1_000_000)),
  corruptRate: optional(share),
  limits: optional(
    object<PacketLimits>({
      mtuOctets: optional(integer(576, 65_535)),
      isSilent: optional(boolean),
      dropsFragments: optional(boolean),
    }),
  ),
});

/** Impairments of an interface's link. */
export const interfaceImpairments: Shape<InterfaceImpairments> = object<InterfaceImpairments>({
  out: optional(impairment),
  in: optional(impairment),
  seed: text(/^([0-9A-Fa-f]{2}){4,}$/, "four octets or more in hex"),
});

const link = {
  segment: string,
  direction: oneOf(...LINK_DIRECTIONS),
  applied: oneOf(...IMPAIRERS),
} as const;

export const impairedLink: Shape<ImpairedLink> = object<ImpairedLink>(link);

export const linkFigures: Shape<LinkFigures> = object<LinkFigures>({ ...link, counters: record(number) });
