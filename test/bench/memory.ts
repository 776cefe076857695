/** Resident memory of agents that have nominated a pair and have nothing to do. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "./bench.ts";
import { keepLab } from "./kept-lab.ts";
import { withScratch } from "./scratch.ts";

const IDLE_MS = 2000;

export const memory: Bench = {
  name: "memory",
  claim: "an agent, idle after nomination, holds at most 60 MB",
  reach: { of: "value", most: 60 },
  measure: (rounds) =>
    withScratch(async (scratch) => {
      const values: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const lab = await keepLab("nat-nat", scratch);
        try {
          await sleep(IDLE_MS);
          values.push(...[...(await lab.memory()).values()].map((octets) => octets / 1e6));
        } finally {
          await lab.remove();
        }
      }
      return [{ name: "resident memory of an agent of nat-nat", unit: "MB", values }];
    }),
};
