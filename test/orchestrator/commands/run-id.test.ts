import { expect, test } from "vitest";
import { newRunId } from "../../../orchestrator/commands/run-topology.ts";

test("a run id sorts by time and names its topology", () => {
  expect(newRunId("nat-nat", new Date("2026-11-22T16:42:10.123Z"))).toMatch(/^20261122-164210-nat-nat-[0-9a-f]{4}$/);
});
