import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PACKAGE_ROOT } from "../../../orchestrator/support/package-root.ts";

test("the example of the documentation is the file beside it", async () => {
  const read = (path: string) => readFile(join(PACKAGE_ROOT, "topologies", path), "utf8");
  expect(await read("README.md")).toContain(`\`\`\`yaml\n${await read("programs/two-nats.yaml")}\`\`\`\n`);
});
