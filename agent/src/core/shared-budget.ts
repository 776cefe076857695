/**
 * What many sources may cause, at an average rate and with a burst: each of them, and all together. One that has used
 * its share up takes nothing from the others.
 */

import type { InstantMs } from "./machine.ts";

/** Average rate, and burst after an idle time. */
export interface RateLimit {
  readonly perSec: number;
  readonly atOnce: number;
}

export interface SharedLimits {
  readonly perSource: RateLimit;
  readonly overall: RateLimit;
}

export interface SharedBudget {
  /** Whether there is something left for this source. */
  has(now: InstantMs, source: string): boolean;
  /** The same, and takes it. */
  take(now: InstantMs, source: string): boolean;
}

/** Maximum remembered sources; a forgotten one starts with its full burst. */
const MAX_SOURCES = 256;

export function createSharedBudget(limits: SharedLimits): SharedBudget {
  const overall = createBucket(limits.overall);
  const sources = new Map<string, Bucket>();

  /** The bucket of a source, marked as most recently used. */
  const bucketOf = (source: string): Bucket => {
    const bucket = sources.get(source) ?? createBucket(limits.perSource);
    sources.delete(source);
    sources.set(source, bucket);
    for (const oldest of sources.keys()) {
      if (sources.size <= MAX_SOURCES) break;
      sources.delete(oldest);
    }
    return bucket;
  };
  return {
    has: (now, source) => sources.get(source)?.hasOne(now) !== false && overall.hasOne(now),
    take(now, source) {
      const own = bucketOf(source);
      if (!own.hasOne(now) || !overall.hasOne(now)) return false;
      own.take();
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
