import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generatedFiles } from "../../../orchestrator/commands/generated-files.ts";
import { PACKAGE_ROOT } from "../../../orchestrator/support/package-root.ts";

const files = await generatedFiles();

test.each(files)("$path is what `npm run schema` would write", async ({ path, content }) => {
  expect(await readFile(join(PACKAGE_ROOT, path), "utf8")).toBe(content);
});

test("the schemas, the catalogue and the Compose file are among them", () => {
  expect(files.map(({ path }) => path)).toEqual(
    expect.arrayContaining([
      "topologies/topology.schema.json",
      "orchestrator/report/result.schema.json",
      "topologies/README.md",
      "docker-compose.yml",
    ]),
  );
});
