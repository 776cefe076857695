import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Impairment } from "../../../../agent/src/core/link/impairment.ts";
import { createLinkImpairment, type Uniform } from "../../../../agent/src/core/link/link-impairment.ts";

/** A small generator (mulberry32) for reproducible uniform numbers. */
function seeded(seed: number): Uniform {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Sends `count` packets every `gapMs` and returns each arrival with its packet number, in order of arrival. */
function arrivals(impairment: Impairment, { count = 1000, gapMs = 1, octets = 100, seed = 1 } = {}) {
  const link = createLinkImpairment<number>(impairment, seeded(seed));
  const got: { packet: number; at: number }[] = [];
  const drain = (until: number): void => {
    for (let at = link.pollTimeout(); at !== undefined && at <= until; at = link.pollTimeout()) {
      for (let packet = link.pollDue(at); packet !== undefined; packet = link.pollDue(at)) got.push({ packet, at });
    }
  };
  for (let i = 0; i < count; i++) {
    drain(i * gapMs);
    link.push(i * gapMs, i, octets);
  }
  drain(Number.POSITIVE_INFINITY);
  return { got, counters: link.counters() };
}

describe("an impaired link", () => {
  test("does nothing at all when no condition is set", () => {
    const { got } = arrivals({});
    expect(got).toEqual(Array.from({ length: 1000 }, (_, i) => ({ packet: i, at: i })));
  });

  test("delays every packet by exactly the delay", () => {
    const { got } = arrivals({ delayMs: 20 });
    expect(got.every(({ packet, at }) => at === packet + 20)).toBe(true);
  });

  test("keeps the order under jitter larger than the gap between packets", () => {
    const { got } = arrivals({ delayMs: 20, jitterMs: 10 });
    expect(got.map(({ packet }) => packet)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(Math.max(...got.map(({ packet, at }) => at - packet))).toBeLessThanOrEqual(30);
  });

  test.each([
    { lossRate: 0.01, lossBurst: 1 },
    { lossRate: 0.1, lossBurst: 1 },
    { lossRate: 0.1, lossBurst: 5 },
    { lossRate: 0.5, lossBurst: 3 },
  ])("loses a share of $lossRate in runs of $lossBurst on average", ({ lossRate, lossBurst }) => {
    const count = 100_000;
    const { got, counters } = arrivals({ lossRate, lossBurst }, { count });
    const lost = new Set(Array.from({ length: count }, (_, i) => i));
    for (const { packet } of got) lost.delete(packet);
    const runs = [...lost].filter((packet) => !lost.has(packet - 1)).length;
    expect(counters.lost).toBe(lost.size);
    expect(Math.abs(lost.size / count - lossRate)).toBeLessThan(5 * Math.sqrt((lossRate * lossBurst) / count));
    const meanRun = lossBurst === 1 ? 1 / (1 - lossRate) : lossBurst;
    expect(Math.abs(lost.size / runs - meanRun) / meanRun).toBeLessThan(0.08);
  });

  test("spaces packets by the rate and drops what does not fit into the queue", () => {
    const { got, counters } = arrivals(
      { rateBitPerSec: 800_000, queuePackets: 10 },
      { count: 50, gapMs: 0, octets: 1000 },
    );
    expect(got).toEqual(Array.from({ length: 10 }, (_, i) => ({ packet: i, at: (i + 1) * 10 })));
    expect(counters.queueFull).toBe(40);
  });

  test("duplicates and reorders only as often as asked", () => {
    const { got, counters } = arrivals({ delayMs: 10, duplicateRate: 0.1, reorderRate: 0.05 }, { count: 20_000 });
    expect(got.length).toBe(20_000 + counters.duplicated);
    expect(counters.duplicated / 20_000).toBeCloseTo(0.1, 1);
    expect(counters.reordered / 22_000).toBeCloseTo(0.05, 1);
  });

  test("gives the same arrivals for the same seed, and loses nothing that nobody asked to lose", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 50 }),
        fc.integer({ min: 0, max: 50 }),
        (seed, delayMs, jitterMs) => {
          const once = arrivals({ delayMs, jitterMs }, { count: 200, seed });
          expect(arrivals({ delayMs, jitterMs }, { count: 200, seed })).toEqual(once);
          expect(once.got.map(({ packet }) => packet)).toEqual(Array.from({ length: 200 }, (_, i) => i));
        },
      ),
      { numRuns: 100 },
    );
  });
});
