/** The labs of containers that are on an engine. */

import { isProcessAlive } from "../../support/process-identity.ts";
import type { ExistingLabs, LabSummary } from "../runtime.ts";
import type { Engine } from "./engine.ts";
import { execInNode } from "./exec-in-node.ts";
import { ownHost } from "./labels.ts";
import { type FoundRun, findRuns, removeRunPersistently } from "./removal.ts";

export function dockerLabs(engine: Engine): ExistingLabs {
  return {
    name: "docker",
    listLabs: async () => (await findRuns(engine)).map(summary),
    removeLab: (runId) => removeRunPersistently(engine, runId),
    exec: (runId, node, command) => execInNode(engine, runId, node, command),
    close: () => Promise.resolve(),
  };
}

function summary(run: FoundRun): LabSummary {
  const { runId, topology, nodes, isKept } = run;
  return { runId, topology, nodes, isKept, isOwnerAlive: run.ownerHost !== ownHost() || isProcessAlive(run.owner) };
}
