/** This user's home directory. */

import { homedir } from "node:os";

/** Undefined for a user without one: neither HOME nor an entry in the user database, as in many containers. */
export function homeDirectory(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}
