/** Results of matrices, for tests of what is derived from them. */

import {
  type CellResult,
  MATRIX_SCHEMA_VERSION,
  type MatrixResult,
  matrixVerdict,
  summarizeCells,
} from "../../orchestrator/report/matrix/matrix-result.ts";

/** A cell as predicted, unless overridden. */
export function cellResult(given: Partial<CellResult> & Pick<CellResult, "mn" | "cn">): CellResult {
  return {
    offerer: "mn",
    runtime: "netns",
    predicted: "direct",
    reasons: ["direct: nothing lies between."],
    observed: "direct",
    nominatedAfterMs: 84.4,
    durationMs: 2000,
    runId: "run",
    ...given,
  };
}

/** A matrix of middleboxes `one` and `two` on both sides. */
export function matrixResult(cells: readonly CellResult[], planned = cells.length): MatrixResult {
  const summary = summarizeCells(cells, planned);
  return {
    schema: MATRIX_SCHEMA_VERSION,
    runId: "20261122-164210-matrix-3f9a",
    startedAt: "2026-11-22T16:42:10.000Z",
    durationMs: 21_300,
    verdict: matrixVerdict(summary),
    mn: ["one", "two"],
    cn: ["one", "two"],
    offerers: ["mn"],
    runtimes: ["netns"],
    jobs: 16,
    seed: 1,
    summary,
    environment: { kernel: "6.18.0", node: "v24.0.0" },
    cells: [...cells],
  };
}
