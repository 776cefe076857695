import { expect, test } from "vitest";
import { describeImpairment, describeLink } from "../../../../orchestrator/topology/describe/describe-link.ts";

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
])("%j reads %s", (impairment, text) => {
  expect(describeImpairment(impairment)).toBe(text);
});

test.each([
  [{}, []],
  [{ out: { delayMs: 20 }, in: { delayMs: 20 } }, ["20 ms"]],
  [{ out: { delayMs: 20 } }, ["out: 20 ms"]],
  [{ out: { delayMs: 20 }, in: { lossRate: 0.01 } }, ["out: 20 ms", "in: loss 1 %"]],
])("the link %j reads %j", (impairments, lines) => {
  expect(describeLink(impairments)).toEqual(lines);
});
