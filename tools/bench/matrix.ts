/** The matrix of 81 cells with real agents, in fresh labs and in labs that stay. */

import type { Bench } from "./bench.ts";
import { costOf } from "./cpu-time.ts";
import type { Series } from "./measure.ts";
import { withScratch } from "./scratch.ts";
import { testbed } from "./testbed.ts";

export const matrixFresh: Bench = {
  name: "matrix-fresh",
  claim: "81 cells in fresh labs take at most 30 s",
  reach: { of: "value", most: 30 },
  measure: (rounds) => measureMatrix(rounds, "--fresh-labs"),
};

export const matrixKept: Bench = {
  name: "matrix-kept",
  claim: "81 cells in labs that stay take at most 15 s",
  reach: { of: "value", most: 15 },
  measure: (rounds) => measureMatrix(rounds),
};

/** The CPU time beside the time tells a busy machine from a slow program: two idle processors take half of it. */
function measureMatrix(rounds: number, ...options: readonly string[]): Promise<readonly Series[]> {
  return withScratch(async (scratch) => {
    const wall: number[] = [];
    const cpu: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const command = testbed("matrix", "--runtime", "netns", ...options, "--out", scratch);
      const { wallSeconds, cpuSeconds } = await costOf(command);
      wall.push(wallSeconds);
      cpu.push(cpuSeconds);
    }
    return [
      { name: "testbed matrix, 81 cells", unit: "s", values: wall },
      { name: "processor time of everything", unit: "CPU s", values: cpu },
    ];
  });
}
