/** `testbed ps`: the labs of this machine. */

import { formatColumns } from "../../report/text-table.ts";
import type { LabSummary } from "../../runtime/runtime.ts";
import type { CommandContext, ExitCode } from "../context.ts";
import { type FoundLab, withLabs } from "./find-lab.ts";

export function ps(json: boolean, { print, printJson, say }: CommandContext): Promise<ExitCode> {
  return withLabs("auto", (labs) => {
    if (json) printJson(labs.map(asData));
    else if (labs.length === 0) say("no lab is up: testbed up <topology> makes one");
    else for (const line of formatColumns([HEADINGS, ...labs.map(row)])) print(line);
    return Promise.resolve(0);
  });
}

const HEADINGS = ["lab", "topology", "runtime", "nodes", "state"];

function row({ runId, topology, labs, nodes, ...lab }: FoundLab): readonly string[] {
  return [runId, topology, labs.name, String(nodes.length), stateOf(lab)];
}

function asData({ runId, topology, labs, nodes, ...lab }: FoundLab) {
  return { runId, topology, runtime: labs.name, nodes, state: stateOf(lab) };
}

/** A lab whose owner has died is left over, and removed by the next run or `testbed down`. */
function stateOf({ isKept, isOwnerAlive }: Pick<LabSummary, "isKept" | "isOwnerAlive">): "up" | "kept" | "left over" {
  if (isKept) return "kept";
  return isOwnerAlive ? "up" : "left over";
}
