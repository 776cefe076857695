/** A directory for output that a bench discards. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export async function withScratch<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "mice-bench-"));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}
