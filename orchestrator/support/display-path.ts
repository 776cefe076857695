/** Paths as a user would write them. */

import { relative } from "node:path";

/** Relative to where the user is, or absolute for what does not lie below. */
export function displayPath(path: string, from: string): string {
  const fromHere = relative(from, path);
  return fromHere.startsWith("..") ? path : fromHere;
}
