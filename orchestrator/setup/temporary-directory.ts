/** A directory for as long as this process runs. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Only this user can read it; it is removed when the process exits. */
export function makeTemporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "mice-testbed-"));
  process.on("exit", () => rmSync(path, { recursive: true, force: true }));
  return path;
}
