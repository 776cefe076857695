import { expect, test } from "vitest";
import { compareRuntimes } from "../../../../orchestrator/report/matrix/runtime-comparison.ts";
import { cellResult } from "../../../support/matrix-cells.ts";

const cells = [
  cellResult({ mn: "one", cn: "one", runtime: "docker" }),
  cellResult({ mn: "one", cn: "one", runtime: "netns", observedPair: ["host", "host"] }),
  cellResult({ mn: "one", cn: "two", runtime: "docker", observed: "home-agents" }),
  cellResult({ mn: "one", cn: "two", runtime: "netns" }),
  cellResult({ mn: "two", cn: "one", runtime: "docker", error: { code: "timed-out", message: "late" } }),
  cellResult({ mn: "two", cn: "one", runtime: "netns" }),
  // Interrupted before the cells on netns ran.
  cellResult({ mn: "two", cn: "two", runtime: "docker" }),
];

test("cells that end otherwise on another runtime are named, and those run on one only are left out", () => {
  expect(compareRuntimes({ runtimes: ["docker", "netns"], cells })).toEqual([
    "docker and netns end alike in 1 of 3 cells",
    "  one × two, mn offers: home-agents on docker, direct on netns",
    "  two × one, mn offers: failed on docker, direct on netns",
  ]);
});

test("one runtime has nothing to be compared with", () => {
  expect(compareRuntimes({ runtimes: ["netns"], cells })).toEqual([]);
});
