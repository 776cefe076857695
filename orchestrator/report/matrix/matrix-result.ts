/**
 * The result of a matrix as in `matrix.json`: one schema defines the type, the published JSON Schema
 * (`matrix.schema.json`) and the check in tests. Fields are only added while `schema` stays the same.
 */

import { CANDIDATE_TYPES } from "@testbed/agent/control";
import * as z from "zod";
import { VERDICTS } from "../../judge/verdict.ts";
import { RUNTIME_NAMES } from "../../runtime/runtime-name.ts";
import { OFFERERS } from "../../topology/matrix/cell-topology.ts";
import { PATH_NAMES } from "../../topology/model/words.ts";
import { SURPRISES } from "../../topology/predict/predict-flow.ts";

/** Value of a matrix's `schema` field. */
export const MATRIX_SCHEMA_VERSION = 1;

const milliseconds = z.number().min(0).describe("milliseconds, with a fraction");
const count = z.int().min(0);
const pathName = z.enum(PATH_NAMES);
const candidateType = z.enum(CANDIDATE_TYPES);
const pairTypes = z.tuple([candidateType, candidateType]);
const runtimeName = z.enum(RUNTIME_NAMES);
const offerer = z.enum(OFFERERS);

const cell = z.strictObject({
  mn: z.string().describe("middlebox in front of the mobile node"),
  cn: z.string().describe("middlebox in front of the correspondent node"),
  offerer: offerer.describe("which end makes the offer"),
  runtime: runtimeName,
  predicted: pathName,
  predictedPair: pairTypes.optional().describe("seen from the offerer; absent when timing decides"),
  reasons: z.array(z.string()).describe("why the model says so, one sentence each"),
  observed: pathName.optional().describe("the way of the data at the end; absent when the run failed"),
  observedPair: pairTypes.optional().describe("seen from the offerer"),
  nominatedAfterMs: milliseconds.optional().describe("from the offer to the nomination, at the offerer"),
  surprise: z.enum(SURPRISES).optional().describe("a better or a worse path than predicted"),
  durationMs: milliseconds.describe("of the cell's run"),
  runId: z.string(),
  results: z
    .string()
    .optional()
    .describe("the cell's own results, from the directory of this file; only surprising and failed cells keep them"),
  error: z
    .strictObject({ code: z.string(), message: z.string(), hint: z.string().optional() })
    .optional()
    .describe("why the run could not be carried through"),
});

export const matrixResultSchema = z
  .strictObject({
    schema: z.literal(MATRIX_SCHEMA_VERSION),
    runId: z.string(),
    startedAt: z.iso.datetime(),
    durationMs: milliseconds.describe("of the whole process until this file was written"),
    verdict: z.enum(VERDICTS).describe("error: a run failed or was not made; else fail: a surprise"),
    mn: z.array(z.string()).describe("middleboxes in front of the mobile node: the rows"),
    cn: z.array(z.string()).describe("middleboxes in front of the correspondent node: the columns"),
    offerers: z.array(offerer),
    runtimes: z.array(runtimeName),
    jobs: count.describe("runs at once"),
    seed: z.int(),
    summary: z.strictObject({
      planned: count,
      asPredicted: count,
      otherPair: count.describe(
        "of those as predicted: over another pair than the model ranks best, which timing decides",
      ),
      better: count,
      worse: count,
      failed: count.describe("runs that could not be carried through"),
      notRun: count.describe("cells that an interruption left out"),
    }),
    environment: z.strictObject({ kernel: z.string(), node: z.string() }),
    cells: z.array(cell).describe("row by row; those that were run"),
  })
  .meta({ title: "Result of a testbed matrix", id: "matrix" });

export type MatrixResult = z.infer<typeof matrixResultSchema>;
export type CellResult = MatrixResult["cells"][number];
type Surprise = NonNullable<CellResult["surprise"]>;

/** The published JSON Schema, as the text of `matrix.schema.json`. */
export function matrixSchemaText(): string {
  return `${JSON.stringify(z.toJSONSchema(matrixResultSchema), null, 2)}\n`;
}

const RANK: Readonly<Record<CellResult["predicted"], number>> = { none: 0, "home-agents": 1, direct: 2 };

/** How a cell differs from its prediction. */
export function surpriseOf({ predicted, observed }: Pick<CellResult, "predicted" | "observed">): Surprise | undefined {
  if (observed === undefined || observed === predicted) return undefined;
  return RANK[observed] > RANK[predicted] ? "better" : "worse";
}

/**
 * Whether the predicted path was taken over another pair than the one the model ranks best. Where several pairs become
 * valid, a busy machine may nominate before the best one does: no surprise.
 */
export function isOverOtherPair({ predicted, predictedPair, observed, observedPair }: CellResult): boolean {
  return observed === predicted && predictedPair !== undefined && predictedPair.join() !== observedPair?.join();
}

/** Cells counted by outcome; `planned` cells were to run. */
export function summarizeCells(cells: readonly CellResult[], planned: number): MatrixResult["summary"] {
  const surprising = (kind: Surprise): number => cells.filter(({ surprise }) => surprise === kind).length;
  const failed = cells.filter(({ error }) => error !== undefined).length;
  const [better, worse] = [surprising("better"), surprising("worse")];
  return {
    planned,
    asPredicted: cells.length - failed - better - worse,
    otherPair: cells.filter(isOverOtherPair).length,
    better,
    worse,
    failed,
    notRun: planned - cells.length,
  };
}

/** The verdict of a summary. */
export function matrixVerdict({
  planned,
  asPredicted,
  failed,
  notRun,
}: MatrixResult["summary"]): MatrixResult["verdict"] {
  if (failed + notRun > 0) return "error";
  return asPredicted === planned ? "pass" : "fail";
}

/** Whether a cell's results are kept. */
export function isRemarkable({ surprise, error }: Pick<CellResult, "surprise" | "error">): boolean {
  return surprise !== undefined || error !== undefined;
}
