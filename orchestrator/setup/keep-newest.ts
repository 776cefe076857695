/** Limits a directory to its newest entries. */

import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Removes all but the `count` entries of a directory that were changed last. Safe for several programs at once. */
export async function keepNewest(directory: string, count: number): Promise<void> {
  const paths = (await readdir(directory)).map((name) => join(directory, name));
  const dated = await Promise.all(paths.map(dateOf));
  const superfluous = dated.toSorted((a, b) => b.changedAt - a.changedAt).slice(count);
  await Promise.all(superfluous.map(({ path }) => rm(path, { recursive: true, force: true })));
}

/** An entry that another program has removed meanwhile counts as the oldest. */
async function dateOf(path: string): Promise<{ readonly path: string; readonly changedAt: number }> {
  const changedAt = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => -Infinity,
  );
  return { path, changedAt };
}
