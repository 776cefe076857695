/** The identity of a run that this process begins now. */

import type { RunIdentity } from "../runtime/runtime.ts";
import { currentProcess } from "../support/process-identity.ts";
import { newRunId } from "../support/run-id.ts";

export function newRun(topology: string): RunIdentity {
  return { runId: newRunId(topology, new Date()), topology, owner: currentProcess() };
}
