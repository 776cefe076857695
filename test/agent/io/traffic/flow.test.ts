import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FlowPacket } from "../../../../agent/src/control/index.ts";
import { startFlow } from "../../../../agent/src/io/traffic/flow.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const now = (): number => Date.now();

/** A flow whose peer answers after 5 ms as long as `isReached` says so. */
function flowTo(isReached: () => boolean) {
  const packets: FlowPacket[] = [];
  let closed = false;
  const flow = startFlow(
    { intervalMs: 20, timeoutMs: 300 },
    (onAnswer) => ({
      send: (sequence) => {
        if (isReached()) setTimeout(() => onAnswer(sequence), 5);
      },
      close: () => {
        closed = true;
      },
    }),
    now,
    (news) => packets.push(...news),
  );
  return { flow, packets, isClosed: () => closed };
}

test("each request is told of once: its round trip when it was answered, nothing when it waited too long", async () => {
  let isReached = true;
  const startedAt = now();
  const { packets } = flowTo(() => isReached);
  await vi.advanceTimersByTimeAsync(199);
  isReached = false;
  await vi.advanceTimersByTimeAsync(701);
  const told = packets
    .toSorted((a, b) => a.sentAtMs - b.sentAtMs)
    .map(({ sentAtMs, rttMs }) => [sentAtMs - startedAt, rttMs]);
  expect(told.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, i) => [20 * i, 5]));
  expect(told.slice(10).every(([, rtt]) => rtt === null)).toBe(true);
  expect(new Set(told.map(([at]) => at)).size).toBe(told.length);
});

test("a flow that is stopped sends no more, and ends once everything is told of", async () => {
  const { flow, packets, isClosed } = flowTo(() => false);
  await vi.advanceTimersByTimeAsync(90);
  const stopped = flow.stop();
  await vi.advanceTimersByTimeAsync(200);
  expect(isClosed()).toBe(false);
  await vi.advanceTimersByTimeAsync(300);
  await stopped;
  expect({ count: packets.length, isClosed: isClosed() }).toEqual({ count: 5, isClosed: true });
});
