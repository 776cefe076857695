/** Many concurrent labs of six agents each: how many end as predicted. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { matrixResultSchema } from "../../orchestrator/report/matrix/matrix-result.ts";
import type { Bench } from "./bench.ts";
import { withScratch } from "./scratch.ts";
import { testbed } from "./testbed.ts";

const ROWS = "eim-eif,eim-adf,eim-apdf,adm-eif,adm-adf";
const COLUMNS = "eim-eif,eim-apdf,apdm-eif,apdm-apdf";
const LABS = 20;

export const labsAtOnce: Bench = {
  name: "labs-at-once",
  compares: "labs that ended as predicted : labs that ran at the same time",
  reach: { least: 1 },
  measure: ({ rounds }) =>
    withScratch(async (scratch) => {
      const values: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const axes = ["--mn", ROWS, "--cn", COLUMNS, "--jobs", String(LABS)];
        const words = testbed("matrix", "--runtime", "netns", "--fresh-labs", ...axes, "--out", scratch);
        const [file, ...args] = words;
        await execa(file, args, { reject: false });
        const text = await readFile(join(scratch, "latest-matrix/matrix.json"), "utf8");
        values.push(matrixResultSchema.parse(JSON.parse(text)).summary.asPredicted);
      }
      return [
        { name: "ended as predicted", unit: "labs", values },
        { name: "ran at the same time", unit: "labs", values: values.map(() => LABS) },
      ];
    }),
};
