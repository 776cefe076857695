/** Installs Debian packages. */

import { execa } from "execa";
import type { Say } from "./progress.ts";
import { type RootAccess, runAsRoot } from "./root-command.ts";

/**
 * Waits for another apt, such as a machine's first automatic update. The variable is part of the command because sudo
 * clears the environment.
 */
const APT_GET = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300", "-y"];

/** Installs `packages`. Fetches the package lists first if they are missing, or again if they turn out too old. */
export async function installPackages(access: RootAccess, packages: readonly string[], say: Say): Promise<void> {
  const install = [...APT_GET, "install", "--no-install-recommends", ...packages];
  if (await areKnown(packages)) {
    try {
      await runAsRoot(access, install, say);
      return;
    } catch {
      say("  that did not work; the package lists may be out of date");
    }
  }
  await runAsRoot(access, [...APT_GET, "update"], say);
  await runAsRoot(access, install, say);
}

async function areKnown(packages: readonly string[]): Promise<boolean> {
  const { failed, stdout } = await execa("apt-cache", ["policy", ...packages], { reject: false });
  const candidates = stdout.match(/^ {2}Candidate: (?!\(none\))/gm) ?? [];
  return !failed && candidates.length === packages.length;
}
