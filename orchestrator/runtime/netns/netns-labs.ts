/** The labs of network namespaces that are on this machine. */

import type { ExistingLabs, LabSummary } from "../runtime.ts";
import { execInNode } from "./exec-in-node.ts";
import { findLabProcesses, isOwnerAlive, type LabProcess, removeLabProcesses } from "./lab-processes.ts";

export const NETNS_LABS: ExistingLabs = {
  name: "netns",
  async listLabs() {
    return (await findLabProcesses()).filter(({ isSupervisor }) => isSupervisor).map(summary);
  },
  removeLab: async (runId) => ({ leftovers: await removeLabProcesses(runId) }),
  exec: execInNode,
  close: () => Promise.resolve(),
};

function summary({ labels, nodes, isKept }: LabProcess): LabSummary {
  const label = (name: string): string => labels.get(name) ?? "";
  return { runId: label("run"), topology: label("topology"), nodes, isOwnerAlive: isOwnerAlive(labels), isKept };
}
