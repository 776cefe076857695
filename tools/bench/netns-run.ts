/** A whole run on the netns runtime, from the start of the process to its exit, captures and results written. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { timeInTurn } from "./measure.ts";
import { testbed, testbedUnderNpm } from "./testbed.ts";

export const netnsRun: Bench = {
  name: "netns-run",
  claim: "nat-nat on the netns runtime takes at most a second, results written",
  reach: { of: "value", most: 1 },
  async measure(rounds) {
    const directory = await mkdtemp(join(tmpdir(), "mice-bench-"));
    try {
      const args = ["nat-nat", "--runtime", "netns", "--out", directory];
      return await timeInTurn(
        [
          { name: "testbed nat-nat --runtime netns", commands: [testbed(...args)] },
          { name: "the same under npm run", commands: [testbedUnderNpm(...args)] },
        ],
        rounds,
      );
    } finally {
      await rm(directory, { recursive: true });
    }
  },
};
