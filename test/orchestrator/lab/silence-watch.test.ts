import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSilenceWatch } from "../../../orchestrator/lab/silence-watch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("silence is counted from the last thing heard, once it has begun to watch", () => {
  const silences: number[] = [];
  const watch = createSilenceWatch((ms) => silences.push(ms));
  vi.advanceTimersByTime(1000);
  expect(silences).toEqual([]);
  watch.start();
  vi.advanceTimersByTime(500);
  watch.heard();
  watch.start();
  vi.advanceTimersByTime(500);
  expect(silences).toEqual([250, 500, 250, 500]);
});

test("nothing is counted after the end, and from the beginning once it watches again", () => {
  const silences: number[] = [];
  const watch = createSilenceWatch((ms) => silences.push(ms));
  watch.start();
  vi.advanceTimersByTime(250);
  watch.stop();
  vi.advanceTimersByTime(1000);
  watch.start();
  vi.advanceTimersByTime(500);
  expect(silences).toEqual([250, 250, 500]);
});
