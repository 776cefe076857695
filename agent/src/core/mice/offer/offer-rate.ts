/**
 * How many sessions strangers may begin: so many from each home network and so many in all. A flood from one network, or
 * from home addresses made up inside it, leaves the offers of others their share (S24).
 */

import type { InstantMs } from "../../machine.ts";
import { addressKey } from "../../mip6/ipv6-packet.ts";

/** On average, and at once after a time of silence. */
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

/** Home networks remembered; who is forgotten begins with a full share. */
const MAX_NETWORKS = 256;

/** UTF-16 units of an address key that hold a /64. */
const NETWORK_UNITS = 4;

export function createOfferRate(limits: OfferRateLimits): OfferRate {
  const overall = createBucket(limits.overall);
  const networks = new Map<string, Bucket>();

  /** The bucket of a network, which becomes the one used last. */
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
