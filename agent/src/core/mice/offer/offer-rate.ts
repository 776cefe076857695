/**
 * Rate limit of sessions begun by strangers: for each home network and for all together. A flood from one network, or
 * from made-up home addresses within it, leaves a share for others (S24).
 */

import type { InstantMs } from "../../machine.ts";
import { addressKey } from "../../mip6/ipv6-packet.ts";
import { createSharedBudget, type RateLimit } from "../../shared-budget.ts";

export interface OfferRateLimits {
  /** For all home addresses of one /64 together. */
  readonly perNetwork: RateLimit;
  readonly overall: RateLimit;
}

export interface OfferRate {
  /** Whether a stranger's offer may begin a session; counts it when it may. */
  admits(now: InstantMs, homeAddress: string): boolean;
}

/** UTF-16 units of an address key that contain a /64. */
const NETWORK_UNITS = 4;

export function createOfferRate({ perNetwork, overall }: OfferRateLimits): OfferRate {
  const budget = createSharedBudget({ perSource: perNetwork, overall });
  return { admits: (now, homeAddress) => budget.take(now, addressKey(homeAddress).slice(0, NETWORK_UNITS)) };
}
