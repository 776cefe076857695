/**
 * The processes of labs, found in the process table by words of their command lines: the supervisor of a lab, and every
 * program that entered it from outside and waits there for what it started. The kernel ends all others with the lab.
 *
 * A process that is stopped (SIGSTOP) keeps the namespaces it has entered, and notices the end of nothing: such a lab
 * is removed by killing each of them.
 */

import { readlinkSync } from "node:fs";
import { access, readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { isProcessAlive } from "../../support/process-identity.ts";
import type { RunIdentity } from "../runtime.ts";

/** Name of the shell of a lab's supervisor, followed by the lab's labels as `key=value` words. */
export const SUPERVISOR_NAME = "mice-testbed-lab";

/** The same for a program that entered a lab. */
export const MEMBER_NAME = "mice-testbed-member";

/** In the lab's /run: the lab outlives its run. */
export const KEPT_MARK = "kept";

const REMOVAL_WAIT_MS = 5000;

/** How long a program outside of a lab may take to collect the one inside that it waits for. */
const COLLECTION_WAIT_MS = 1000;

/** Waits until processes that were told to end have ended; `kill` ends those that take too long. */
export async function endOrKill(ended: Promise<unknown>, kill: () => void): Promise<void> {
  await Promise.race([ended, sleep(COLLECTION_WAIT_MS, undefined, { ref: false })]);
  kill();
  await ended;
}

/** What processes of a lab carry on their command lines. */
export type Labels = ReadonlyMap<string, string>;

/** A process of a lab. */
export interface LabProcess {
  readonly pid: number;
  readonly isSupervisor: boolean;
  readonly labels: Labels;
  /** Whether its owner let the lab outlive it. */
  readonly isKept: boolean;
  /** Names of the lab's nodes, from the supervisor's mounts. */
  readonly nodes: readonly string[];
}

/** The `key=value` words of a lab. Names of a topology are letters, digits and hyphens. */
export function labLabels({ runId, topology, owner }: RunIdentity): Labels {
  return new Map([
    ["run", runId],
    ["topology", topology],
    ["owner-pid", String(owner.pid)],
    ["owner-start", owner.startTicks],
    ["boot-id", owner.bootId],
    ["pid-namespace", ownPidNamespace()],
  ]);
}

/** Labels as words of a command line. */
export function labelWords(labels: Labels): readonly string[] {
  return [...labels].map(([key, value]) => `${key}=${value}`);
}

/** Whether the process that made the lab still runs. One of another PID namespace cannot be checked. */
export function isOwnerAlive(labels: Labels): boolean {
  const label = (name: string): string => labels.get(name) ?? "";
  if (label("pid-namespace") !== ownPidNamespace()) return true;
  return isProcessAlive({
    pid: Number(label("owner-pid")),
    startTicks: label("owner-start"),
    bootId: label("boot-id"),
  });
}

/** Every process of a lab that this process may see. */
export async function findLabProcesses(): Promise<readonly LabProcess[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(pids.map(readLabProcess));
  return found.filter((entry) => entry !== undefined);
}

/**
 * Ends what is left of a run and waits until it is gone. Returns what is left after `REMOVAL_WAIT_MS`. Programs that
 * wait for others outside of the lab go on when these have ended: killed before, they would leave zombies to the first
 * process of the machine, which in a container may collect none.
 */
export async function removeLabProcesses(runId: string): Promise<readonly string[]> {
  const startedAt = performance.now();
  for (;;) {
    const left = (await findLabProcesses()).filter(({ labels }) => labels.get("run") === runId);
    if (left.length === 0) return [];
    const tookMs = performance.now() - startedAt;
    for (const { pid, isSupervisor } of left) {
      signal(pid, isSupervisor || tookMs > COLLECTION_WAIT_MS ? "SIGKILL" : "SIGCONT");
    }
    if (tookMs > REMOVAL_WAIT_MS) return left.map(({ pid }) => `process ${pid} of lab ${runId}: kill -9 ${pid}`);
    await sleep(10);
  }
}

/** The runs that neither their owner nor a user needs any more, with their topologies. */
export async function abandonedRuns(): Promise<ReadonlyMap<string, string>> {
  const processes = await findLabProcesses();
  const kept = new Set(processes.filter(({ isKept }) => isKept).map(({ labels }) => labels.get("run")));
  const abandoned = processes.filter(({ labels }) => !kept.has(labels.get("run")) && !isOwnerAlive(labels));
  return new Map(abandoned.map(({ labels }) => [labels.get("run") ?? "", labels.get("topology") ?? ""]));
}

/** A process that ended meanwhile, or that is another user's, is left alone. */
function signal(pid: number, name: "SIGCONT" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch {
    // ESRCH, EPERM: `removeLabProcesses` reports what stays.
  }
}

/** A supervisor runs as `sh -c <script> <name> run=… topology=…`; a member has the same words further on. */
async function readLabProcess(pid: string): Promise<LabProcess | undefined> {
  const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
  const at = words.findIndex((word) => word === SUPERVISOR_NAME || word === MEMBER_NAME);
  if (at === -1) return undefined;
  const labels = new Map(
    words.slice(at + 1).flatMap((word) => {
      const [key, value] = word.split("=", 2);
      return key !== undefined && value !== undefined ? [[key, value] as const] : [];
    }),
  );
  const isSupervisor = words[0] === "sh" && words[at] === SUPERVISOR_NAME;
  const run = `/proc/${pid}/root/run`;
  // The supervisor's /run has the names of the namespaces; it is gone if the lab has just ended.
  const nodes = isSupervisor ? await readdir(`${run}/netns`).catch(() => []) : [];
  const isKept = isSupervisor && (await exists(`${run}/${KEPT_MARK}`));
  return { pid: Number(pid), isSupervisor, labels, isKept, nodes };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function ownPidNamespace(): string {
  return readlinkSync("/proc/self/ns/pid");
}
