/** The runtime without engine and images: network namespaces, with agents as processes of this machine. */

import { release } from "node:os";
import type { Runtime } from "../runtime.ts";
import { sweepControlGroups } from "./control-groups.ts";
import { abandonedRuns, findLabProcesses, removeLabProcesses } from "./lab-processes.ts";
import { createNetnsLab } from "./netns-lab.ts";
import { NETNS_LABS } from "./netns-labs.ts";
import { requirePrograms } from "./required-programs.ts";
import { requireTunDevice } from "./tun-access.ts";

export interface NetnsRuntimeOptions {
  /** How a node's first process is started. */
  readonly agentCommand: readonly string[];
}

export function createNetnsRuntime({ agentCommand }: NetnsRuntimeOptions): Runtime {
  return {
    ...NETNS_LABS,
    environment: () =>
      Promise.resolve({ runtime: "netns", kernel: release(), capabilities: { rootless: process.getuid?.() !== 0 } }),
    // A supervisor ends with its owner, and the kernel then removes the lab. Processes that are stopped stay.
    sweep: sweepAbandonedRuns,
    async checkPlan({ nodes }) {
      await requirePrograms(nodes);
      await requireTunDevice(nodes);
    },
    createLab: (identity, signal) => createNetnsLab(identity, signal, agentCommand),
  };
}

async function sweepAbandonedRuns(): Promise<readonly string[]> {
  const removals = [...(await abandonedRuns())].map(async ([runId, topology]) => {
    const left = await removeLabProcesses(runId);
    return left.length > 0 ? left : [`removed what run ${runId} (${topology}) had left behind`];
  });
  const lines = (await Promise.all(removals)).flat();
  const alive = new Set((await findLabProcesses()).map(({ labels }) => labels.get("run")));
  await sweepControlGroups((runId) => alive.has(runId));
  return lines;
}
