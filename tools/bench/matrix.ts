/** The matrix of 81 cells with real agents, in fresh labs and in reused labs, compared with another checkout. */

import { resolve } from "node:path";
import { execa } from "execa";
import { PACKAGE_ROOT } from "../../orchestrator/support/package-root.ts";
import type { Bench, MeasureOptions } from "./bench.ts";
import { type Cost, costOf } from "./cpu-time.ts";
import { notMeasured, type Series } from "./measure.ts";
import { withScratch } from "./scratch.ts";
import { testbedUnderNpm } from "./testbed.ts";

const REACH = { most: 1.2 };

export const matrixFresh: Bench = {
  name: "matrix-fresh",
  compares: "81 cells in fresh labs : the same in another checkout",
  reach: REACH,
  measure: (options) => measureMatrix(options, "--fresh-labs"),
};

export const matrixKept: Bench = {
  name: "matrix-kept",
  compares: "81 cells in labs that are reused : the same in another checkout",
  reach: REACH,
  measure: (options) => measureMatrix(options),
};

/**
 * CPU time beside wall time distinguishes a busy machine from a slow program: on two idle cores wall time is half of
 * it.
 */
function measureMatrix({ rounds, against }: MeasureOptions, ...options: readonly string[]): Promise<readonly Series[]> {
  return withScratch(async (scratch) => {
    const here = { checkout: PACKAGE_ROOT, costs: [] as Cost[] };
    const other = against === undefined ? undefined : { checkout: resolve(against), costs: [] as Cost[] };
    const sides = other === undefined ? [here] : [here, other];
    // Bundles and agents are built on the first start.
    for (const { checkout } of sides) await runOnce(checkout, "open-open", "--runtime", "netns", "--out", scratch);
    for (let round = 0; round < rounds; round += 1) {
      for (const { checkout, costs } of sides) {
        const command = testbedUnderNpm("matrix", "--runtime", "netns", ...options, "--out", scratch);
        costs.push(await costOf(command, checkout));
      }
    }
    return [
      wall("this checkout", here.costs),
      other === undefined ? notMeasured("another checkout", "s", NO_OTHER) : wall(other.checkout, other.costs),
      cpu("this checkout, all processes", here.costs),
      ...(other === undefined ? [] : [cpu(`${other.checkout}, all processes`, other.costs)]),
    ];
  });
}

const NO_OTHER = {
  missing: "none is named: git worktree add <path> <commit>, npm ci in it, and --against <path>",
};

async function runOnce(checkout: string, ...args: readonly string[]): Promise<void> {
  const [file, ...words] = testbedUnderNpm(...args);
  await execa(file, words, { cwd: checkout, stdin: "ignore" });
}

function wall(name: string, costs: readonly Cost[]): Series {
  return { name, unit: "s", values: costs.map(({ wallSeconds }) => wallSeconds) };
}

function cpu(name: string, costs: readonly Cost[]): Series {
  return { name, unit: "CPU s", values: costs.map(({ cpuSeconds }) => cpuSeconds) };
}
