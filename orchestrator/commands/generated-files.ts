/** The generated files of this repository; a test compares them with the content returned here. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildPlan } from "../plan/build-plan.ts";
import { composeFile } from "../plan/compose.ts";
import { matrixSchemaText } from "../report/matrix/matrix-result.ts";
import { resultSchemaText } from "../report/run-result.ts";
import { PACKAGE_ROOT } from "../support/package-root.ts";
import { withCatalogue } from "../topology/describe/catalogue.ts";
import { topologyJsonSchema } from "../topology/file/schema.ts";
import { loadTopologies } from "./load-topologies.ts";
import { topologyNames } from "./topology-files.ts";

/** A generated file: its path in the repository, and its content. */
export interface GeneratedFile {
  readonly path: string;
  readonly content: string;
}

export async function generatedFiles(): Promise<readonly GeneratedFile[]> {
  const [loaded, readme] = await Promise.all([
    topologyNames().then((names) => loadTopologies(names, { directory: PACKAGE_ROOT })),
    readFile(join(PACKAGE_ROOT, CATALOGUE), "utf8"),
  ]);
  const topologies = loaded.map(({ topology }) => topology);
  return [
    { path: "topologies/topology.schema.json", content: `${JSON.stringify(topologyJsonSchema(), null, 2)}\n` },
    { path: "orchestrator/report/result.schema.json", content: resultSchemaText() },
    { path: "orchestrator/report/matrix/matrix.schema.json", content: matrixSchemaText() },
    { path: CATALOGUE, content: withCatalogue(readme, topologies) },
    ...topologies
      .filter(({ name }) => name === COMPOSE_TOPOLOGY)
      .map((topology) => ({
        path: "docker-compose.yml",
        content: composeFile(buildPlan(topology, { capture: false, autostart: true })),
      })),
  ];
}

const CATALOGUE = "topologies/README.md";

/** The lab that `docker compose up` starts. */
const COMPOSE_TOPOLOGY = "nat-nat";

/** Files that are missing or whose content on disk differs. */
export async function staleFiles(): Promise<readonly GeneratedFile[]> {
  const files = await generatedFiles();
  const found = await Promise.all(files.map(({ path }) => readFile(join(PACKAGE_ROOT, path), "utf8").catch(() => "")));
  return files.filter(({ content }, i) => content !== found[i]);
}
