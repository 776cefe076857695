import { expect, test } from "vitest";
import { newRunId, topologyOfRun } from "../../../orchestrator/support/run-id.ts";

test("a run id sorts by time and names its topology", () => {
  const runId = newRunId("nat-nat", new Date("2026-11-22T16:42:10.123Z"));
  expect(runId).toMatch(/^20261122-164210-nat-nat-[0-9a-f]{4}$/);
  expect(topologyOfRun(runId)).toBe("nat-nat");
});

test.each(["nat-nat", "20261122-164210-nat-nat", "20261122-164210--3f9a", "x20261122-164210-nat-nat-3f9a"])(
  "%s is no run id",
  (name) => {
    expect(topologyOfRun(name)).toBeUndefined();
  },
);
