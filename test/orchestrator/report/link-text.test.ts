import { expect, test } from "vitest";
import { describeCondition, describeFigures } from "../../../orchestrator/report/link-text.ts";

test.each([
  [{}, "as it is"],
  [{ delayMs: 20 }, "20 ms"],
  [{ delayMs: 20.5, jitterMs: 2 }, "20.5 ms ± 2 ms"],
  [{ lossRate: 0.01 }, "loss 1 %"],
  [{ lossRate: 0.07, lossBurst: 3 }, "loss 7 % in runs of 3"],
  [{ duplicateRate: 0.005, reorderRate: 0.1 }, "duplicates 0.5 %, reordered 10 %"],
  [{ rateBitPerSec: 20e6, queuePackets: 50 }, "20 Mbit/s, queue 50"],
  [{ rateBitPerSec: 1.5e9 }, "1.5 Gbit/s"],
  [{ rateBitPerSec: 9600 }, "9.6 kbit/s"],
  [{ rateBitPerSec: 300 }, "300 bit/s"],
])("%j reads %s", (condition, text) => {
  expect(describeCondition(condition)).toBe(text);
});

test("figures are what was delivered and lost, and what else there was", () => {
  expect(describeFigures({ received: 7, delivered: 6, lost: 1, queueFull: 0, duplicated: 2 })).toBe(
    "6 delivered, 1 lost, 2 duplicated",
  );
  expect(describeFigures({ delivered: 3, lost: 0 })).toBe("3 delivered, 0 lost");
});
