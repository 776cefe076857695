/** Paths as a user would write them. */

import { relative } from "node:path";

/** Relative to `from`, or absolute for a path that is not below it. */
export function displayPath(path: string, from: string): string {
  const fromHere = relative(from, path);
  return fromHere.startsWith("..") ? path : fromHere;
}
