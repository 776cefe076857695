/** Installs Debian packages. */

import { execa } from "execa";
import type { Say } from "./progress.ts";
import { type RootAccess, runAsRoot } from "./root-command.ts";

/**
 * Another apt may be at work, such as a machine's first automatic update; it is waited for. The variable is part of the
 * command because sudo takes variables away.
 */
const APT_GET = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300", "-y"];

/** Installs `packages`; the package lists are fetched first when they are missing, and when they turn out too old. */
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
