/** Commands of a node that is set up. */

import type { AgentCommand, RoleSetup, TrafficResult } from "../../control/messages.ts";
import { type Family, familyOf } from "../../core/address.ts";
import { assertNever } from "../../core/machine.ts";
import { NodeFailure } from "../failure.ts";
import { answerProbe, isProbeCommand } from "../probe/probe-commands.ts";
import { now } from "../process/clock.ts";
import type { Reports } from "../process/control-channel.ts";
import { awaitSocket } from "../sockets/await-socket.ts";
import { echo, openEchoSocket } from "../traffic/echo.ts";
import { type Flow, startFlow } from "../traffic/flow.ts";
import { ping } from "../traffic/ping.ts";
import { type ChangedNode, createChanges, isChangeCommand } from "./change-commands.ts";

/** Commands to a node that is set up; the process handles the others. */
export type NodeCommand = Exclude<AgentCommand, { readonly type: "setup" | "keep" | "reset" | "reuse" | "finish" }>;

/** A node that takes commands. */
export interface CommandedNode extends ChangedNode {
  readonly reports: Reports;
}

/** Executes commands and reports the results. Each call rejects when the node has to stop. */
export function createCommands(node: CommandedNode): (command: NodeCommand) => Promise<void> {
  const { protocol, reports } = node;
  const { role } = node.setup;
  const flows = createFlows(node);
  const reply = async (id: number, result: Promise<TrafficResult>): Promise<void> => {
    reports.send({ type: "reply", id, result: await result });
  };
  const change = createChanges(node);
  return async (command) => {
    if (isProbeCommand(command)) {
      reports.send(await answerProbe(node.setup.interfaces, command));
      return;
    }
    if (isChangeCommand(command)) {
      const atMs = now();
      await change(command);
      reports.send({ type: "done", id: command.id, atMs });
      return;
    }
    switch (command.type) {
      case "start":
        protocol?.start();
        return;
      case "connect":
        if (protocol?.connect(command.peer) === true) return;
        throw new NodeFailure("bad-command", `a node of role ${role.type} cannot connect to ${command.peer}`);
      case "ping":
        return reply(command.id, ping({ ...command, identifier: command.id }, now));
      case "echo":
        return reply(command.id, echo({ ...command, from: echoSource(role, command.to) }, now));
      case "await-socket":
        reports.send({ type: "socket-awaited", id: command.id, isThere: await awaitSocket(command) });
        return;
      case "start-flow":
        flows.start(command);
        return;
      case "stop-flow":
        return flows.stop(command.flow);
      default:
        return assertNever(command);
    }
  };
}

/** The active flows, by the id of the command that started them. */
function createFlows({ setup: { role }, reports }: CommandedNode) {
  const flows = new Map<number, Flow>();
  return {
    start(command: Extract<NodeCommand, { readonly type: "start-flow" }>): void {
      const { id, to, sizeBytes, ...request } = command;
      const ends = { from: echoSource(role, to), to, sizeBytes };
      const flow = startFlow(
        request,
        (onAnswer) => openEchoSocket(ends, onAnswer),
        now,
        (packets) => reports.send({ type: "flow", id, packets }),
      );
      flows.set(id, flow);
    },
    async stop(id: number): Promise<void> {
      const flow = flows.get(id);
      if (flow === undefined) throw new NodeFailure("bad-command", `expected a flow to stop, found no flow ${id}`);
      await flow.stop();
      reports.send({ type: "flow-ended", id });
    },
  };
}

/** Session traffic is sent from the address that peers use; on other nodes the routes choose the source. */
function echoSource(role: RoleSetup, to: string): string {
  const family: Family = familyOf(to);
  return family === 6 ? (peerAddressOf(role) ?? "::") : "0.0.0.0";
}

/** The address at which peers reach the node: its home address, or its own when it is stationary. */
export function peerAddressOf(role: RoleSetup): string | undefined {
  if (role.type === "stationary-node") return role.address;
  return role.type === "mobile-node" || role.type === "correspondent-node" ? role.homeAddress : undefined;
}
