/** The runtime without engine and images: network namespaces, with agents as processes of this machine. */

import { readdir, readFile } from "node:fs/promises";
import { release } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { isProcessAlive } from "../../support/process-identity.ts";
import type { LabSummary, Runtime } from "../runtime.ts";
import { createNetnsLab } from "./netns-lab.ts";
import { requirePrograms } from "./required-programs.ts";
import { SUPERVISOR_NAME } from "./supervisor.ts";
import { requireTunDevice } from "./tun-access.ts";

export interface NetnsRuntimeOptions {
  /** How a node's first process is started. */
  readonly agentCommand: readonly string[];
}

const REMOVAL_WAIT_MS = 5000;

/** A lab's supervisor found in the process table. */
interface FoundSupervisor {
  readonly pid: number;
  readonly labels: ReadonlyMap<string, string>;
  /** Names of the lab's namespaces. */
  readonly nodes: readonly string[];
}

export function createNetnsRuntime({ agentCommand }: NetnsRuntimeOptions): Runtime {
  return {
    name: "netns",
    environment: () =>
      Promise.resolve({ runtime: "netns", kernel: release(), capabilities: { rootless: process.getuid?.() !== 0 } }),
    // A supervisor ends with its owner, and the kernel then removes the lab.
    sweep: () => Promise.resolve([]),
    async checkPlan({ nodes }) {
      await requirePrograms(nodes);
      await requireTunDevice(nodes);
    },
    createLab: (identity, signal) => createNetnsLab(identity, signal, agentCommand),
    async listLabs() {
      return (await findSupervisors()).map(summary);
    },
    async removeLab(runId) {
      for (const { pid, labels } of await findSupervisors()) {
        if (labels.get("run") === runId) process.kill(pid, "SIGKILL");
      }
      return { leftovers: await untilGone(runId) };
    },
    close: () => Promise.resolve(),
  };
}

/** Waits while the kernel ends the processes of a lab. Returns what is left after `REMOVAL_WAIT_MS`. */
async function untilGone(runId: string): Promise<readonly string[]> {
  const giveUpAt = performance.now() + REMOVAL_WAIT_MS;
  for (;;) {
    const left = (await findSupervisors()).filter(({ labels }) => labels.get("run") === runId);
    if (left.length === 0) return [];
    if (performance.now() > giveUpAt) return left.map(({ pid }) => `process ${pid} of lab ${runId}: kill -9 ${pid}`);
    await sleep(10);
  }
}

function summary({ labels, nodes }: FoundSupervisor): LabSummary {
  const label = (name: string): string => labels.get(name) ?? "";
  const isOwnerAlive = isProcessAlive({
    pid: Number(label("owner-pid")),
    startTicks: label("owner-start"),
    bootId: label("boot-id"),
  });
  return {
    runId: label("run"),
    topology: label("topology"),
    nodes,
    isOwnerAlive,
    isKept: !isOwnerAlive,
  };
}

/** Supervisors run as `sh -c <script> mice-testbed-lab run=… topology=…`. */
async function findSupervisors(): Promise<readonly FoundSupervisor[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(pids.map(readSupervisor));
  return found.filter((entry) => entry !== undefined);
}

async function readSupervisor(pid: string): Promise<FoundSupervisor | undefined> {
  const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
  const at = words.indexOf(SUPERVISOR_NAME);
  if (words[0] !== "sh" || at === -1) return undefined;
  const labels = words.slice(at + 1).flatMap((word) => {
    const [key, value] = word.split("=", 2);
    return key !== undefined && value !== undefined ? [[key, value] as const] : [];
  });
  // The supervisor's /run has the names of the namespaces; it is gone if the lab has just ended.
  const nodes = await readdir(`/proc/${pid}/root/run/netns`).catch(() => []);
  return { pid: Number(pid), labels: new Map(labels), nodes };
}
