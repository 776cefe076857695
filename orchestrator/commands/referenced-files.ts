/** What a topology file refers to, found on this machine beside it. */

import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import type { ReferencedFile, ReferencedFiles } from "../topology/resolve/referenced-files.ts";

/** Files and folders by their path relative to `directory`, that of the topology file. */
export function filesBeside(directory: string): ReferencedFiles {
  return { find: (path) => find(resolve(directory, path)) };
}

function find(path: string): ReferencedFile | undefined {
  try {
    const found = statSync(path);
    if (!found.isFile() && !found.isDirectory()) return undefined;
    accessSync(path, constants.R_OK);
    return {
      type: found.isFile() ? "file" : "folder",
      path,
      octets: found.size,
      isExecutable: (found.mode & 0o111) !== 0,
    };
  } catch {
    return undefined;
  }
}
