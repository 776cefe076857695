/** `testbed plan`: prints what a run would create, without creating it. */

import { buildPlan } from "../plan/build-plan.ts";
import { formatPlan } from "../report/plan-text.ts";
import { predictRun } from "../topology/predict/predict-run.ts";
import type { CommandContext, ExitCode } from "./context.ts";
import { loadTopologies } from "./load-topologies.ts";

export async function plan(
  wanted: string,
  { json, seed }: { readonly json: boolean; readonly seed?: number },
  context: CommandContext,
): Promise<ExitCode> {
  const loaded = await loadTopologies([wanted], context, seed === undefined ? {} : { seed });
  for (const { topology } of loaded) {
    const built = buildPlan(topology, { capture: true });
    const predicted = predictRun(topology);
    if (json) context.printJson({ plan: built, predicted });
    else for (const line of formatPlan(built, predicted)) context.print(line);
  }
  return 0;
}
