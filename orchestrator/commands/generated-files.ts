/** The files of this repository that are made from others; a test holds them equal to what is given here. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { resultSchemaText } from "../report/run-result.ts";
import { PACKAGE_ROOT } from "../support/package-root.ts";
import { topologyJsonSchema } from "../topology/schema.ts";

/** A generated file: its path in the repository, and what should stand in it. */
export interface GeneratedFile {
  readonly path: string;
  readonly content: string;
}

export async function generatedFiles(): Promise<readonly GeneratedFile[]> {
  return Promise.resolve([
    { path: "topologies/topology.schema.json", content: `${JSON.stringify(topologyJsonSchema(), null, 2)}\n` },
    { path: "orchestrator/report/result.schema.json", content: resultSchemaText() },
  ]);
}

/** Those whose content on disk is another, or that are missing. */
export async function staleFiles(): Promise<readonly GeneratedFile[]> {
  const files = await generatedFiles();
  const found = await Promise.all(files.map(({ path }) => readFile(join(PACKAGE_ROOT, path), "utf8").catch(() => "")));
  return files.filter(({ content }, i) => content !== found[i]);
}
