/**
 * What the netns runtime needs: programs of the machine, TUN devices, and a kernel that lets this user make namespaces.
 */

import { existsSync } from "node:fs";
import { labLabels } from "../runtime/netns/lab-processes.ts";
import {
  missingPrograms,
  packagesOf,
  REQUIRED_PROGRAMS,
  type RequiredProgram,
} from "../runtime/netns/required-programs.ts";
import { startSupervisor } from "../runtime/netns/supervisor.ts";
import { requireTunDevice } from "../runtime/netns/tun-access.ts";
import { TestbedError } from "../support/errors.ts";
import { currentProcess } from "../support/process-identity.ts";
import { isInstalled } from "../support/search-path.ts";
import { installPackages } from "./apt.ts";
import type { Finding } from "./finding.ts";
import type { Say } from "./progress.ts";
import { findRootAccess, type RootAccess, runAsRoot } from "./root-command.ts";
import { checkTunDevice, ensureTunDevice } from "./tun-device.ts";

/** Installs Debian's packages of missing programs. Throws `setup-failed` where the machine does not allow it. */
export async function setUpNetns(say: Say): Promise<void> {
  const missing = await missingPrograms(REQUIRED_PROGRAMS);
  if (missing.length > 0) {
    for (const { text } of programFindings(missing)) say(`not installed: ${text}`);
    await installDebianPackages(missing, say);
  }
  await ensureTunDevice(say);
}

/** Changes nothing; namespaces are tested by making those of an empty lab. */
export async function checkNetns(): Promise<readonly Finding[]> {
  const missing = await missingPrograms(REQUIRED_PROGRAMS);
  const device = checkTunDevice();
  const canEnter = !missing.some(({ name }) => name === "unshare" || name === "mount");
  return [
    ...(missing.length > 0 ? programFindings(missing) : [ALL_PROGRAMS]),
    ...(device.length > 0 ? device : await refusal(requireTunDevice([{ name: "a mobile node", tun: true }]))),
    ...(canEnter ? await refusal(makeEmptyLab()) : []),
  ];
}

const ALL_PROGRAMS: Finding = {
  state: "ok",
  text: `the programs of the netns runtime are installed (${REQUIRED_PROGRAMS.map(({ name }) => name).join(", ")})`,
};

/** A finding for each missing program; the last one has the command that installs them all. */
export function programFindings(missing: readonly RequiredProgram[]): readonly Finding[] {
  return missing.map((program, i) => ({
    state: "missing",
    text: `${program.name} (Debian package ${program.debianPackage}), which ${program.purpose} on the netns runtime`,
    ...(i === missing.length - 1
      ? { hint: `npm run setup -- --runtime netns, or as root: apt-get install ${packagesOf(missing).join(" ")}` }
      : {}),
  }));
}

async function makeEmptyLab(): Promise<void> {
  const labels = labLabels({ runId: "setup-check", topology: "setup-check", owner: currentProcess() });
  const supervisor = await startSupervisor(labels);
  await supervisor.stop();
}

/** A failure of `attempt` as a finding; none if it succeeds. */
async function refusal(attempt: Promise<void>): Promise<readonly Finding[]> {
  try {
    await attempt;
    return [];
  } catch (error) {
    if (!(error instanceof TestbedError)) throw error;
    const { message, hint } = error;
    return [{ state: "missing", text: message, ...(hint === undefined ? {} : { hint }) }];
  }
}

async function installDebianPackages(programs: readonly RequiredProgram[], say: Say): Promise<void> {
  const packages = packagesOf(programs);
  const access = await findRootAccess();
  if (access === "none" || !(await isInstalled("apt-get"))) {
    throw new TestbedError("setup-failed", `installing ${packages.join(", ")} needs root and apt`, {
      hint: `as root: apt-get install ${packages.join(" ")}, or the packages of this system that contain the same`,
    });
  }
  await keepIdle(access, programs, say);
  await installPackages(access, packages, say);
}

/** Where systemd runs the machine: it has this directory from its start on (sd_booted(3)). */
const SYSTEMD_DIRECTORY = "/run/systemd/system";

/** Labs start daemons themselves. Masked before it is installed, none is started for the machine, now or later. */
async function keepIdle(access: RootAccess, programs: readonly RequiredProgram[], say: Say): Promise<void> {
  const units = programs.flatMap(({ unit }) => unit ?? []);
  if (units.length > 0 && existsSync(SYSTEMD_DIRECTORY)) await runAsRoot(access, ["systemctl", "mask", ...units], say);
}
