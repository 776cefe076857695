/**
 * Link impairments as measured on a real segment, with the kernel's time stamps at both ends. Quantiles hold on an idle
 * machine: a process that waits for a processor is late.
 */

import { afterAll, beforeAll, expect } from "vitest";
import { needs } from "../support/needs.ts";
import { measure, type Passage } from "./link-impairments/measurement.ts";
import { interfaceOf, parsePcap } from "./node-process/pcap.ts";
import { setupOf } from "./node-process/setups.ts";
import { buildBundleUnderTest, createWorld } from "./node-process/world.ts";

const { describe, test } = await needs("netns");

let bundle: Awaited<ReturnType<typeof buildBundleUnderTest>>;

beforeAll(async () => {
  bundle = await buildBundleUnderTest();
});
afterAll(() => bundle.remove());

/** The precision that a link impairment must have. */
const MEDIAN_TOLERANCE_MS = 1;
const P95_TOLERANCE_MS = 5;

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))] ?? Number.NaN;
}

function expectDelay({ delaysMs }: Passage, delayMs: number): void {
  expect(Math.min(...delaysMs)).toBeGreaterThanOrEqual(delayMs - 0.01);
  expect(quantile(delaysMs, 0.5)).toBeLessThan(delayMs + MEDIAN_TOLERANCE_MS);
  expect(quantile(delaysMs, 0.95)).toBeLessThan(delayMs + P95_TOLERANCE_MS);
}

/** Every packet once, in order. */
function expectClean({ entered, left, figures }: Passage, count: number): void {
  expect(entered.map(({ number }) => number)).toEqual(Array.from({ length: count }, (_, i) => i));
  expect(left.map(({ number }) => number)).toEqual(entered.map(({ number }) => number));
  expect(figures?.counters["overrun"] ?? 0).toBe(0);
}

/**
 * Expects `count` of `total` events of this probability, within 4.5 standard deviations; `inflation` scales the
 * variance.
 */
function expectShare(count: number, total: number, chance: number, inflation = 1): void {
  expect(Math.abs(count - total * chance)).toBeLessThan(4.5 * Math.sqrt(total * chance * (1 - chance) * inflation));
}

function lostNumbers({ entered, left }: Passage): readonly number[] {
  const arrived = new Set(left.map(({ number }) => number));
  return entered.map(({ number }) => number).filter((number) => !arrived.has(number));
}

/** Nothing before the agent: it runs at the priority of other programs. */
const AS_USUAL: readonly string[] = [];

describe("a link", () => {
  test("adds the delay it is asked to add, in that direction only", async () => {
    const count = 1500;
    const { passages, ready, scheduling } = await measure(
      bundle.entry,
      { out: { delayMs: 20 } },
      { ratePerSec: 500, count, octets: 100 },
      AS_USUAL,
    );
    for (const passage of [passages.out, passages.in]) expectClean(passage, count);
    expectDelay(passages.out, 20);
    expectDelay(passages.in, 0);
    expect(ready.links).toEqual([{ segment: "net", direction: "out", applied: expect.any(String) as string }]);
    expect(passages.in.figures).toBeUndefined();
    expect(passages.out.figures?.counters).toMatchObject({ lost: 0 });
    // No node takes a processor from other programs, not even one that forwards the packets itself.
    expect(scheduling).toContain("policy: SCHED_OTHER");
    expect(scheduling).toContain("nice: 0");
  });

  test("carries 5000 packets a second each way, delayed, without losing or reordering any", async () => {
    const count = 20_000;
    const delayed = { out: { delayMs: 20 }, in: { delayMs: 35 } };
    const { passages, cpuShare } = await measure(bundle.entry, delayed, { ratePerSec: 5000, count, octets: 200 });
    for (const passage of [passages.out, passages.in]) expectClean(passage, count);
    expectDelay(passages.out, 20);
    expectDelay(passages.in, 35);
    expect(cpuShare).toBeLessThan(0.5);
  });

  test("spreads the delay evenly within the jitter, each direction by its own", async () => {
    const jittered = { out: { delayMs: 10, jitterMs: 4 }, in: { delayMs: 30, jitterMs: 3 } };
    const count = 400;
    const { passages } = await measure(bundle.entry, jittered, { ratePerSec: 100, count, octets: 100 });
    for (const direction of ["out", "in"] as const) {
      const { delayMs, jitterMs } = jittered[direction];
      expectClean(passages[direction], count);
      const { delaysMs } = passages[direction];
      expect(Math.min(...delaysMs)).toBeGreaterThanOrEqual(delayMs - jitterMs);
      for (const share of [0.05, 0.25, 0.5, 0.75]) {
        const expected = delayMs + (2 * share - 1) * jitterMs;
        expect(Math.abs(quantile(delaysMs, share) - expected)).toBeLessThan(MEDIAN_TOLERANCE_MS);
      }
      expect(quantile(delaysMs, 0.95)).toBeLessThan(delayMs + 0.9 * jitterMs + P95_TOLERANCE_MS);
    }
  });

  test("loses the share it is asked to lose, alone or in runs, and says how many", async () => {
    const lossy = { out: { lossRate: 0.05 }, in: { lossRate: 0.1, lossBurst: 4 } };
    const count = 20_000;
    const { passages } = await measure(bundle.entry, lossy, { ratePerSec: 5000, count, octets: 100 });
    const [alone, inRuns] = [lostNumbers(passages.out), lostNumbers(passages.in)];
    expectShare(alone.length, count, 0.05);
    // The chain keeps its state with a probability 0.72 above chance: (1 + 0.72) / (1 - 0.72).
    expectShare(inRuns.length, count, 0.1, 6.2);
    const meanRun = (lost: readonly number[]): number => {
      const known = new Set(lost);
      return lost.length / lost.filter((number) => !known.has(number - 1)).length;
    };
    expect(meanRun(alone)).toBeCloseTo(1 / 0.95, 0);
    expect(Math.abs(meanRun(inRuns) - 4)).toBeLessThan(0.8);
    for (const [passage, lost] of [
      [passages.out, alone],
      [passages.in, inRuns],
    ] as const) {
      expect(passage.left.map(({ number }) => number)).toEqual(
        passage.left.map(({ number }) => number).toSorted((a, b) => a - b),
      );
      // Multicast membership reports pass as well, more of them the longer it takes, and may be among the lost packets.
      const { delivered = Number.NaN, lost: allLost = Number.NaN, received } = passage.figures?.counters ?? {};
      const others = { left: delivered - passage.left.length, lost: allLost - lost.length };
      expect(Math.min(others.left, others.lost)).toBeGreaterThanOrEqual(0);
      expect(others.left + others.lost).toBeLessThan(100);
      // netem does not count arriving packets.
      expect(received ?? delivered + allLost).toBe(delivered + allLost);
    }
  });

  test("duplicates and reorders the share it is asked to", async () => {
    const odd = { out: { duplicateRate: 0.02 }, in: { delayMs: 10, reorderRate: 0.05 } };
    const count = 8000;
    const { passages } = await measure(bundle.entry, odd, { ratePerSec: 2000, count, octets: 100 });
    const { out, in: inbound } = passages;
    expect(lostNumbers(out)).toEqual([]);
    expect(new Set(out.left.map(({ number }) => number)).size).toBe(count);
    expectShare(out.left.length - count, count, 0.02);
    expect(lostNumbers(inbound)).toEqual([]);
    expect(inbound.left).toHaveLength(count);
    const overtaking = inbound.delaysMs.filter((delayMs) => delayMs < 9);
    expectShare(overtaking.length, count, 0.05);
    expect(quantile(inbound.delaysMs, 0.5)).toBeLessThan(10 + MEDIAN_TOLERANCE_MS);
  });

  test("passes packets at its rate, lets as many wait as it is told to, and loses the others", async () => {
    // 1000 octets on the wire with 14 of Ethernet, 20 of IPv4, 8 of UDP: one a millisecond at 8 Mbit/s.
    const limited = { out: { rateBitPerSec: 8e6, queuePackets: 50 }, in: { rateBitPerSec: 40e6 } };
    const count = 4000;
    const { passages } = await measure(bundle.entry, limited, { ratePerSec: 2000, count, octets: 958 });
    const { left, delaysMs } = passages.out;
    // More than twenty at a time, so that a single delay of the sender does not count.
    const paces = left.slice(20).map(({ at }, i) => (at - (left[i]?.at ?? 0)) / 20);
    expect(Math.abs(quantile(paces, 0.5) - 1)).toBeLessThan(0.01);
    expect(quantile(delaysMs, 0.5)).toBeGreaterThan(48);
    expect(quantile(delaysMs, 0.95)).toBeLessThan(50 + P95_TOLERANCE_MS);
    expect(lostNumbers(passages.out).length).toBe(count - left.length);
    expectShare(left.length, count, 0.5);
    expectClean(passages.in, count);
  });
});

describe("to the node and the segment", () => {
  test("nothing else shows: first packets pass, the segment's capture has what left and nothing more", async () => {
    const world = await createWorld(bundle.entry);
    try {
      for (const node of ["n1", "n2"]) await world.addNode(node, [{ interfaceName: "eth0", bridge: "segment" }]);
      const plain = setupOf(1, { capture: true });
      const interfaces = plain.interfaces.map((iface) => ({
        ...iface,
        impairment: { out: { delayMs: 15 }, in: { lossRate: 0 }, seed: "00000001" },
      }));
      const [first, second] = [
        world.startAgent("n1", { setup: { ...plain, interfaces } }),
        world.startAgent("n2", { setup: setupOf(2) }),
      ];
      await Promise.all([first.report("ready"), second.report("ready")]);
      first.send({ type: "ping", id: 1, to: "2001:db8::2", count: 5, intervalMs: 5, timeoutMs: 900 });
      const { result } = await first.report("reply");
      expect(result.received).toBe(5);
      // The neighbour solicitation is delayed as well.
      expect(Math.min(...result.rttMs.map((rtt) => rtt ?? 0))).toBeGreaterThanOrEqual(15);
      expect(await world.shIn("n1", "ip -o link show dev net")).toContain("mtu 1500");
      expect(await world.shIn("n1", "ip -o addr show scope global")).not.toMatch(/: mice/);
      first.send({ type: "finish" });
      await first.exited;
      const frames = parsePcap(interfaceOf(first.reports, "net"));
      const echoes = frames.filter(
        (frame) => frame.readUInt16BE(12) === 0x86dd && frame[20] === 58 && frame[54] === 128,
      );
      expect(echoes).toHaveLength(5);
      expect(new Set(frames.map((frame) => frame.subarray(6, 12).toString("hex")))).toEqual(new Set(["020000000001"]));
    } finally {
      await world.end();
    }
  });

  test("what is lost on the way out never was on the wire", async () => {
    const { passages } = await measure(
      bundle.entry,
      { out: { lossRate: 1 } },
      { ratePerSec: 500, count: 100, octets: 100 },
    );
    expect(passages.out.entered).toHaveLength(100);
    expect(passages.out.left).toEqual([]);
    expectClean(passages.in, 100);
  });
});
