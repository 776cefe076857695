/** `testbed down`: removes labs that were kept, and what dead runs left behind. */

import type { LabSummary, Runtime } from "../runtime/runtime.ts";
import { TestbedError } from "../support/errors.ts";
import type { CommandContext, ExitCode } from "./context.ts";
import { createRuntime, type RuntimeChoice } from "./create-runtime.ts";

export interface DownOptions {
  readonly runtime: RuntimeChoice;
  /** Also labs of runs that are still under way. */
  readonly all: boolean;
}

/**
 * Removes the labs named by run id or topology; with no names, every lab whose run is over. A lab of a run that is under
 * way is removed only when it is named or `all` is given. Throws `leak` when something stays.
 */
export async function down(names: readonly string[], options: DownOptions, context: CommandContext): Promise<ExitCode> {
  const runtime = await createRuntime(options.runtime, context.say);
  try {
    const labs = await runtime.listLabs();
    const chosen = labs.filter((lab) => isChosen(lab, names, options.all));
    refuseUnknown(names, labs);
    if (chosen.length === 0) context.say("no lab to remove");
    const leftovers = await Promise.all(chosen.map((lab) => remove(runtime, lab, context)));
    const stuck = leftovers.flat();
    if (stuck.length > 0) throw new TestbedError("leak", ["could not remove:", ...stuck].join("\n  "));
    return 0;
  } finally {
    await runtime.close();
  }
}

function isChosen({ runId, topology, isKept, isOwnerAlive }: LabSummary, names: readonly string[], all: boolean) {
  if (names.length > 0) return names.includes(runId) || names.includes(topology);
  return all || isKept || !isOwnerAlive;
}

async function remove(runtime: Runtime, lab: LabSummary, { say }: CommandContext): Promise<readonly string[]> {
  const { leftovers } = await runtime.removeLab(lab.runId);
  if (leftovers.length === 0) say(`removed ${lab.runId} (${lab.topology})`);
  return leftovers;
}

function refuseUnknown(names: readonly string[], labs: readonly LabSummary[]): void {
  const unknown = names.filter((name) => !labs.some(({ runId, topology }) => runId === name || topology === name));
  if (unknown.length === 0) return;
  const existing = labs.map(({ runId }) => `  ${runId}`).join("\n");
  throw new TestbedError("bad-usage", `no lab is called ${unknown.join(", ")}`, {
    hint: existing === "" ? "there is no lab on this machine" : `labs on this machine:\n${existing}`,
  });
}
