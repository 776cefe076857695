/** A whole run on the netns runtime, from the start of the process to its exit, captures and results written. */

import type { Bench } from "./bench.ts";
import { timeInTurn } from "./measure.ts";
import { withScratch } from "./scratch.ts";
import { IDLE_NODE, testbed, testbedUnderNpm } from "./testbed.ts";

export const netnsRun: Bench = {
  name: "netns-run",
  compares: "testbed nat-nat on netns, whole process : node, doing nothing",
  reach: { most: 14 },
  measure: ({ rounds }) =>
    withScratch(async (scratch) => {
      const args = ["nat-nat", "--runtime", "netns", "--out", scratch];
      return timeInTurn(
        [
          { name: "testbed nat-nat --runtime netns", commands: [testbed(...args)] },
          { name: "node, doing nothing", commands: [IDLE_NODE] },
          { name: "the run under npm", commands: [testbedUnderNpm(...args)] },
        ],
        rounds,
      );
    }),
};
