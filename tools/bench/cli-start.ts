/** What the command line takes before it does anything. */

import type { Bench } from "./bench.ts";
import { timeInTurn } from "./measure.ts";
import { testbed } from "./testbed.ts";

export const cliStart: Bench = {
  name: "cli-start",
  claim: "testbed list takes at most 0.3 s",
  reach: { of: "value", most: 0.3 },
  measure: (rounds) =>
    timeInTurn(
      [
        { name: "testbed list", commands: [testbed("list")] },
        { name: "node, doing nothing", commands: [[process.execPath, "-e", "0"]] },
      ],
      rounds,
    ),
};
