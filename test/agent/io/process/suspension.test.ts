import { expect, test } from "vitest";
import { createSuspensionMeter, type KernelClocks } from "../../../../agent/src/io/process/suspension.ts";

test("a machine that was suspended is one whose monotonic clock stood still, and is told once", () => {
  let clocks: KernelClocks = { monotonicMs: 1000, bootMs: 501_000 };
  const measure = createSuspensionMeter(() => clocks);
  const after = (monotonicMs: number, suspendedMs: number): number => {
    clocks = { monotonicMs, bootMs: monotonicMs + 500_000 + suspendedMs };
    return measure();
  };
  expect(measure()).toBe(0);
  expect(after(2000, 0)).toBe(0);
  expect(after(2250, 3_600_000)).toBe(3_600_000);
  expect(after(2500, 3_600_000)).toBe(0);
  expect(after(2750, 3_605_000)).toBe(5000);
});

test("clocks that are read a moment after each other show no suspension", () => {
  let apartMs = 0;
  const measure = createSuspensionMeter(() => ({ monotonicMs: 1000, bootMs: 2000 + apartMs }));
  const measured = [0, 3, 50, 99, 1].map((each) => {
    apartMs = each;
    return measure();
  });
  expect(measured).toEqual([0, 0, 0, 0, 0]);
});

test("a process that is stopped while the machine runs is no suspension: its clock has gone on", () => {
  let atMs = 1000;
  const measure = createSuspensionMeter(() => ({ monotonicMs: atMs, bootMs: atMs + 7 }));
  measure();
  atMs = 60_000;
  expect(measure()).toBe(0);
});
