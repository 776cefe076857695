/** Resident memory of agents that have nominated a pair and have nothing to do. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "./bench.ts";
import { keepLab } from "./kept-lab.ts";
import { withScratch } from "./scratch.ts";

/** How long an agent has had nothing to do. */
const IDLE_MS = 5000;

export const memory: Bench = {
  name: "memory",
  claim: "no agent, idle after nomination, has more than 20 MB in memory that it shares with no other process",
  reach: { of: "value", most: 20, share: 1 },
  measure: (rounds) =>
    withScratch(async (scratch) => {
      const resident: number[] = [];
      const own: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const lab = await keepLab("nat-nat", scratch);
        try {
          await sleep(IDLE_MS);
          for (const agent of await lab.memory()) {
            resident.push(agent.resident / 1e6);
            own.push(agent.own / 1e6);
          }
        } finally {
          await lab.remove();
        }
      }
      return [
        { name: "memory of an agent of nat-nat that no other process shares", unit: "MB", values: own },
        { name: "resident, with what is shared", unit: "MB", values: resident },
      ];
    }),
};
