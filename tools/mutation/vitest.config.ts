import { defineConfig } from "vitest/config";

/** The tests that check mutants: those of the mutated modules and of their direct users. */
export default defineConfig({
  test: {
    include: [
      "test/agent/core/*.test.ts",
      "test/agent/core/{stun,mip6,mice,node}/**/*.test.ts",
      "test/agent/core/ice/{candidate,check-list,ice-agent,ice-security,nomination,priority,role,valid-list}.test.ts",
    ],
    exclude: ["test/agent/core/hostile-input.test.ts"],
    testTimeout: 60_000,
  },
});
