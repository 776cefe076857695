import { defineConfig } from "vitest/config";

/** Projects that need the engine run one file at a time: the labs of one file may run at once, files never do. */
const serial = { fileParallelism: false, testTimeout: 120_000, hookTimeout: 300_000 } as const;

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/{architecture,agent,orchestrator,images}/**/*.test.ts"] } },
      { test: { name: "sim", include: ["test/sim/**/*.test.ts"] } },
      { test: { name: "contract", include: ["test/contract/**/*.test.ts"], ...serial } },
      { test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], ...serial } },
    ],
    coverage: { provider: "v8", include: ["agent/src/**", "orchestrator/**"] },
  },
});
