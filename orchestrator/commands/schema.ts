/** `testbed schema`: keeps the generated files of this repository up to date. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../support/package-root.ts";
import type { CommandContext, ExitCode } from "./context.ts";
import { staleFiles } from "./generated-files.ts";

/** Without `write`, exit code 1 means that a file is out of date. */
export async function schema(write: boolean, { print }: CommandContext): Promise<ExitCode> {
  const stale = await staleFiles();
  for (const { path, content } of stale) {
    if (write) await writeFile(join(PACKAGE_ROOT, path), content);
    print(write ? `${path}: written` : `${path}: out of date (npm run schema writes it)`);
  }
  if (stale.length === 0) print("every generated file is up to date");
  return stale.length === 0 || write ? 0 : 1;
}
