/** Where the machine's programs are found. */

import { access, constants, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** Debian has these on root's PATH only; `ip` and `nft` may be in them. */
const SYSTEM_DIRECTORIES = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** `path` followed by the system directories that it lacks, as the PATH of child processes. */
export function searchPath(path = process.env["PATH"] ?? ""): string {
  const directories = path.split(delimiter).filter((directory) => directory !== "");
  return [...new Set([...directories, ...SYSTEM_DIRECTORIES])].join(delimiter);
}

/** Whether a directory of `path` has an executable file of this name. */
export async function isInstalled(program: string, path = searchPath()): Promise<boolean> {
  const found = await Promise.all(path.split(delimiter).map((directory) => isExecutable(join(directory, program))));
  return found.includes(true);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
