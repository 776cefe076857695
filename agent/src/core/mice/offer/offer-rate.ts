/**
 * Rate limit of sessions begun by strangers: for each home network and for all together. A flood from one network, or
 * from made-up home addresses within it, leaves a share for others (S24).
 */

import type { InstantMs } from "../../machine.ts";
import { addressKey } from "../../mip6/ipv6-packet.ts";

/** Average rate, and burst after an idle time. */
interface RateLimit {
  readonly perSec: number;
  readonly atOnce: number;
}

export interface OfferRateLimits {
  /** For all home addresses of one /64 together. */
  readonly perNetwork: RateLimit;
  readonly overall: RateLimit;
}

export interface OfferRate {
  /** Whether a stranger's offer may begin a session; counts it when it may. */
  admits(now: InstantMs, homeAddress: string): boolean;
}

/** Maximum remembered home networks; a forgotten one starts with a full bucket. */
const MAX_NETWORKS = 256;

/** UTF-16 units of an address key that contain a /64. */
const NETWORK_UNITS = 4;

export function createOfferRate(limits: OfferRateLimits): OfferRate {
  const overall = createBucket(limits.overall);
  const networks = new Map<string, Bucket>();

  /** The bucket of a network, marked as most recently used. */
  const bucketOf = (network: string): Bucket => {
    const bucket = networks.get(network) ?? createBucket(limits.perNetwork);
    networks.delete(network);
    networks.set(network, bucket);
    for (const oldest of networks.keys()) {
      if (networks.size <= MAX_NETWORKS) break;
      networks.delete(oldest);
    }
    return bucket;
  };
  return {
    admits(now, homeAddress) {
      const network = bucketOf(addressKey(homeAddress).slice(0, NETWORK_UNITS));
      if (!network.hasOne(now) || !overall.hasOne(now)) return false;
      network.take();
      overall.take();
      return true;
    },
  };
}

/** A token bucket. */
interface Bucket {
  hasOne(now: InstantMs): boolean;
  take(): void;
}

function createBucket({ perSec, atOnce }: RateLimit): Bucket {
  let tokens = atOnce;
  let filledAt: InstantMs | undefined;
  return {
    hasOne(now) {
      tokens = Math.min(atOnce, tokens + (perSec * (now - (filledAt ?? now))) / 1000);
      filledAt = now;
      return tokens >= 1;
    },
    take() {
      tokens -= 1;
    },
  };
}
