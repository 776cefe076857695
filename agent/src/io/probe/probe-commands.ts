/** Commands by which nodes prove the boxes between them. */

import type { AgentCommand, AgentReport } from "../../control/messages.ts";
import { now } from "../process/clock.ts";
import { overhear, sendMarks } from "./overhear.ts";
import { probeBoxes, probeLifetime } from "./probe.ts";

export type ProbeCommand = Extract<
  AgentCommand,
  { readonly type: "probe" | "probe-lifetime" | "overhear" | "send-marks" }
>;

const TYPES: ReadonlySet<string> = new Set<ProbeCommand["type"]>(["probe", "probe-lifetime", "overhear", "send-marks"]);

export function isProbeCommand(command: AgentCommand): command is ProbeCommand {
  return TYPES.has(command.type);
}

/** Carries one out and gives its answer; rejects with what stops the node. */
export async function answerProbe(command: ProbeCommand): Promise<AgentReport> {
  const { id } = command;
  switch (command.type) {
    case "probe":
      return { type: "probed", id, observation: await probeBoxes(command) };
    case "probe-lifetime":
      return { type: "lifetime-probed", id, observation: await probeLifetime(command) };
    case "overhear":
      return { type: "heard", id, datagrams: await overhear(command) };
    case "send-marks": {
      const atMs = now();
      sendMarks(command);
      return { type: "done", id, atMs };
    }
  }
}
