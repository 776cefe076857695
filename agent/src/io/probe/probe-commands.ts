/** Commands that verify the NATs and firewalls between nodes. */

import type { AgentCommand, AgentReport, NodeSetup } from "../../control/messages.ts";
import { now } from "../process/clock.ts";
import { kernelAddressOf, socketsOn } from "../sockets/open-socket.ts";
import { probeLifetime, probeMiddleboxes } from "./probe.ts";
import { sendMarks, sniff } from "./sniff.ts";

export type ProbeCommand = Extract<
  AgentCommand,
  { readonly type: "probe" | "probe-lifetime" | "sniff" | "send-marks" }
>;

const TYPES: ReadonlySet<string> = new Set<ProbeCommand["type"]>(["probe", "probe-lifetime", "sniff", "send-marks"]);

export function isProbeCommand(command: AgentCommand): command is ProbeCommand {
  return TYPES.has(command.type);
}

/** Executes a probe command and returns its report; rejects when the node has to stop. */
export async function answerProbe(interfaces: NodeSetup["interfaces"], command: ProbeCommand): Promise<AgentReport> {
  const { id } = command;
  const openSocket = socketsOn(interfaces);
  switch (command.type) {
    case "probe":
      return { type: "probed", id, observation: await probeMiddleboxes(openSocket, command) };
    case "probe-lifetime":
      return { type: "lifetime-probed", id, observation: await probeLifetime(openSocket, command) };
    case "sniff":
      return {
        type: "heard",
        id,
        datagrams: await sniff({ ...command, local: kernelAddressOf(interfaces, command.local) }),
      };
    case "send-marks": {
      const atMs = now();
      sendMarks(openSocket, command);
      return { type: "done", id, atMs };
    }
  }
}
