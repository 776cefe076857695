import { defineConfig } from "vitest/config";

/**
 * Projects that run labs have the machine to themselves: one file at a time, and one project after the other. The labs
 * of one file may run at once.
 */
const alone = (groupOrder: number) =>
  ({ fileParallelism: false, testTimeout: 120_000, hookTimeout: 300_000, sequence: { groupOrder } }) as const;

/**
 * Files share their workers and the modules that these have loaded, one worker a core: half the processor time of a
 * process for each file. The timeout only ends what would never end: these tests
 * compute, and a busy machine may take ten times as long for them.
 */
const pure = { isolate: false, maxWorkers: "100%", testTimeout: 180_000 } as const;

const UNIT_TESTS = ["test/{architecture,agent,orchestrator,tools}/**/*.test.ts"];

/** Tests that replace modules, which other files may have loaded in the same worker. */
const ISOLATED_TESTS = "test/**/*.isolated.test.ts";

export default defineConfig({
  test: {
    projects: [
      {
        test: { name: "unit", include: UNIT_TESTS, exclude: [ISOLATED_TESTS], ...pure },
      },
      { test: { name: "unit-isolated", include: [ISOLATED_TESTS], ...pure, isolate: true } },
      { test: { name: "sim", include: ["test/sim/**/*.test.ts"], ...pure } },
      { test: { name: "contract", include: ["test/contract/**/*.test.ts"], ...alone(1) } },
      { test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], ...alone(2) } },
    ],
    coverage: {
      provider: "v8",
      include: ["agent/src/core/**/*.ts"],
      reporter: ["text", "json"],
      reportsDirectory: "out/coverage",
      thresholds: { lines: 95, branches: 90 },
    },
  },
});
