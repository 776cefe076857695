import { describe, expect, test } from "vitest";
import { chooseLabs } from "../../../../orchestrator/commands/labs/down.ts";
import type { LabSummary } from "../../../../orchestrator/runtime/runtime.ts";

const lab = (runId: string, isOwnerAlive: boolean, isKept = false): LabSummary => ({
  runId,
  topology: `of-${runId}`,
  nodes: [],
  isOwnerAlive,
  isKept,
});

const LABS = [lab("living", true), lab("living-kept", true, true), lab("kept", false, true), lab("orphan", false)];

function choose(names: readonly string[], all = false) {
  const { chosen, spared } = chooseLabs(LABS, names, all);
  return { chosen: chosen.map(({ runId }) => runId), spared: spared.map(({ runId }) => runId) };
}

describe("down", () => {
  test("without names takes every lab whose owner is no process, kept or left behind, and spares the living", () => {
    expect(choose([])).toEqual({ chosen: ["kept", "orphan"], spared: ["living", "living-kept"] });
  });

  test.each([
    ["run id", "living"],
    ["topology", "of-living"],
  ])("takes the lab of a living run by its %s, and no other one with it", (_, name) => {
    expect(choose([name])).toEqual({ chosen: ["living"], spared: [] });
  });

  test("takes the living as well when told to take all", () => {
    expect(choose([], true)).toEqual({ chosen: ["living", "living-kept", "kept", "orphan"], spared: [] });
  });
});
