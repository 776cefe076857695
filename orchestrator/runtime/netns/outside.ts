import { searchPath } from "../../support/search-path.ts";

/**
 * Environment and working directory of programs that are started outside of a lab: nothing of a topology file, and of
 * the user's environment only the PATH.
 */
export function outside(): { readonly cwd: string; readonly env: Readonly<Record<string, string>> } {
  return { cwd: "/", env: { PATH: searchPath() } };
}
