/** The start-up time of the command line. */

import type { Bench } from "./bench.ts";
import { timeInTurn } from "./measure.ts";
import { IDLE_NODE, testbed } from "./testbed.ts";

export const cliStart: Bench = {
  name: "cli-start",
  compares: "testbed list : node, doing nothing",
  reach: { most: 5 },
  measure: ({ rounds }) =>
    timeInTurn(
      [
        { name: "testbed list", commands: [testbed("list")] },
        { name: "node, doing nothing", commands: [IDLE_NODE] },
      ],
      rounds,
    ),
};
