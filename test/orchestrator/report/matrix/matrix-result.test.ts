import { expect, test } from "vitest";
import {
  isOverOtherPair,
  isRemarkable,
  matrixResultSchema,
  matrixVerdict,
  summarizeCells,
  surpriseOf,
} from "../../../../orchestrator/report/matrix/matrix-result.ts";
import { cellResult, matrixResult } from "../../../support/matrix-cells.ts";

const error = { code: "node-failed", message: "node mn: it ended" };

test.each([
  ["direct", "direct", undefined],
  ["direct", "home-agents", "worse"],
  ["direct", "none", "worse"],
  ["home-agents", "direct", "better"],
  ["home-agents", "none", "worse"],
  ["none", "home-agents", "better"],
] as const)("predicted %s, observed %s: %s", (predicted, observed, surprise) => {
  expect(surpriseOf({ predicted, observed })).toBe(surprise);
});

test("a run that failed surprises nobody about its path", () => {
  expect(surpriseOf({ predicted: "direct" })).toBeUndefined();
});

test("another pair on the predicted path is told and is no surprise", () => {
  const cell = cellResult({
    mn: "one",
    cn: "two",
    predictedPair: ["peer-reflexive", "server-reflexive"],
    observedPair: ["server-reflexive", "peer-reflexive"],
  });
  expect({ isOverOtherPair: isOverOtherPair(cell), isRemarkable: isRemarkable(cell) }).toEqual({
    isOverOtherPair: true,
    isRemarkable: false,
  });
});

test("a pair counts only where the model names one", () => {
  expect(isOverOtherPair(cellResult({ mn: "one", cn: "two", observedPair: ["host", "host"] }))).toBe(false);
});

test("cells are counted by what became of them", () => {
  const cells = [
    cellResult({ mn: "one", cn: "one" }),
    cellResult({ mn: "one", cn: "two", observed: "home-agents", surprise: "worse" }),
    cellResult({ mn: "two", cn: "one", predicted: "home-agents", surprise: "better" }),
    cellResult({ mn: "two", cn: "two", error }),
  ];
  expect(summarizeCells(cells, 6)).toEqual({
    planned: 6,
    asPredicted: 1,
    otherPair: 0,
    better: 1,
    worse: 1,
    failed: 1,
    notRun: 2,
  });
});

test.each([
  [{ planned: 4, asPredicted: 4, failed: 0, notRun: 0 }, "pass"],
  [{ planned: 4, asPredicted: 3, better: 1, failed: 0, notRun: 0 }, "fail"],
  [{ planned: 4, asPredicted: 3, failed: 1, notRun: 0 }, "error"],
  [{ planned: 4, asPredicted: 3, failed: 0, notRun: 1 }, "error"],
] as const)("%j is verdict %s", (summary, verdict) => {
  expect(matrixVerdict({ otherPair: 0, better: 0, worse: 0, ...summary })).toBe(verdict);
});

test("the schema holds what is written", () => {
  const cells = [cellResult({ mn: "one", cn: "one" }), cellResult({ mn: "two", cn: "one", error, results: "cells/x" })];
  const result = matrixResult(cells);
  expect(matrixResultSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
});
