import { expect, test } from "vitest";
import { clockStepMs, realTimeOf } from "../../../orchestrator/lab/clock-axis.ts";

test("an instant of a node lies on the real axis as far from the reading as on the monotonic one", () => {
  expect(realTimeOf(1250.5, { monotonicMs: 1000, realMs: 1_700_000_000_000 })).toBe(1_700_000_000_250.5);
});

test("a clock that was left alone has made no step, whatever its jitter", () => {
  expect(clockStepMs({ monotonicMs: 0, realMs: 10 }, { monotonicMs: 1000, realMs: 1010.4 })).toBe(0);
});

test("a clock that was set back shows by how much", () => {
  expect(clockStepMs({ monotonicMs: 0, realMs: 5000 }, { monotonicMs: 1000, realMs: 5500 })).toBe(-500);
});
