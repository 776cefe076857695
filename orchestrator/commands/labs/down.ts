/** `testbed down`: removes kept labs and what dead runs left behind. */

import type { LabSummary } from "../../runtime/runtime.ts";
import type { RuntimeChoice } from "../../runtime/runtime-name.ts";
import { TestbedError } from "../../support/errors.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { endByOwner } from "./ask-owner.ts";
import { type FoundLab, withLabs } from "./find-lab.ts";

export interface DownOptions {
  readonly runtime: RuntimeChoice;
  /** Also removes labs of runs in progress. */
  readonly all: boolean;
}

/** Removes labs and prints which; see `chooseLabs`. Throws `leak` if something remains. */
export async function down(names: readonly string[], options: DownOptions, context: CommandContext): Promise<ExitCode> {
  return withLabs(options.runtime, async (labs) => {
    const { chosen, spared } = chooseLabs(labs, names, options.all);
    refuseUnknown(names, labs);
    if (chosen.length === 0) context.say("no lab to remove");
    for (const { runId } of spared) context.say(`left alone: ${runId}, whose run is under way; name it to remove it`);
    const leftovers = await Promise.all(chosen.map((lab) => remove(lab, context)));
    const stuck = leftovers.flat();
    if (stuck.length > 0) throw new TestbedError("leak", ["could not remove:", ...stuck].join("\n  "));
    return 0;
  });
}

/**
 * The labs to remove: those named by run id or topology; without names every lab whose owner process is gone, kept or
 * left behind. The lab of a run in progress, kept or not, is removed only by name or with `all`, otherwise `spared`.
 */
export function chooseLabs<Lab extends LabSummary>(
  labs: readonly Lab[],
  names: readonly string[],
  all: boolean,
): { readonly chosen: readonly Lab[]; readonly spared: readonly Lab[] } {
  if (names.length > 0) {
    const isNamed = ({ runId, topology }: LabSummary): boolean => names.includes(runId) || names.includes(topology);
    return { chosen: labs.filter(isNamed), spared: [] };
  }
  const isTaken = ({ isOwnerAlive }: LabSummary): boolean => all || !isOwnerAlive;
  return { chosen: labs.filter(isTaken), spared: labs.filter((lab) => !isTaken(lab)) };
}

/** An owner ends its lab itself; where none answers, what carries the lab's labels is removed. */
async function remove(
  { labs, runId, topology }: FoundLab,
  { say, signal }: CommandContext,
): Promise<readonly string[]> {
  const leftovers = (await endByOwner(runId, signal)) ?? (await labs.removeLab(runId)).leftovers;
  if (leftovers.length === 0) say(`removed ${runId} (${topology})`);
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
