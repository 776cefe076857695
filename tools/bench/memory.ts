/** Resident memory of agents that have nominated a pair and are idle. */

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import type { Bench } from "./bench.ts";
import { keepLab, memoryOf } from "./kept-lab.ts";
import { withScratch } from "./scratch.ts";

/** How long an agent has been idle. */
const IDLE_MS = 5000;

/** Reports that it has started, then waits. */
const WAITING_NODE = 'console.log("started"); setInterval(() => {}, 1 << 30)';

export const memory: Bench = {
  name: "memory",
  compares: "the largest idle agent of nat-nat : a Node process that waits",
  measure: ({ rounds }) =>
    withScratch(async (scratch) => {
      const largest: number[] = [];
      const node: number[] = [];
      const own: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const lab = await keepLab("nat-nat", scratch);
        try {
          await sleep(IDLE_MS);
          const agents = await lab.memory();
          largest.push(Math.max(...agents.map(({ resident }) => resident)) / 1e6);
          own.push(Math.max(...agents.map(({ own }) => own)) / 1e6);
        } finally {
          await lab.remove();
        }
        node.push((await memoryOfWaitingNode()) / 1e6);
      }
      return [
        { name: "largest agent, resident", unit: "MB", values: largest },
        { name: "waiting Node, resident", unit: "MB", values: node },
        { name: "largest agent, shared with no process", unit: "MB", values: own },
      ];
    }),
};

async function memoryOfWaitingNode(): Promise<number> {
  const waiting = execa(process.execPath, ["-e", WAITING_NODE], { reject: false, stdin: "ignore" });
  try {
    await once(waiting.stdout, "data");
    return (await memoryOf(String(waiting.pid))).resident;
  } finally {
    waiting.kill();
    await waiting;
  }
}
