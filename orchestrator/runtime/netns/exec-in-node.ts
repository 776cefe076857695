/** Runs a command in a node of a lab that is up, with the standard streams of this process. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { TestbedError } from "../../support/errors.ts";
import { started } from "../../support/start-process.ts";
import { enterLab, memberOf } from "./enter-lab.ts";
import { exitCodeOf } from "./exit-code.ts";
import { hostEnvironment, PROGRAM_LABEL, RIGHTS_LABEL, withoutRights } from "./host-room.ts";
import { findLabProcesses, type LabProcess } from "./lab-processes.ts";
import { outside } from "./outside.ts";
import { firstOfNamespace } from "./program-process.ts";

/**
 * Returns the command's exit code; 128 and the number of the signal that ended it. Throws `bad-usage` where the lab is
 * gone or has no such node, and `no-permission` where it is another user's.
 */
export async function execInNode(runId: string, node: string, command: readonly string[]): Promise<number> {
  const processes = (await findLabProcesses()).filter(({ labels }) => labels.get("run") === runId);
  const supervisor = processes.find(({ isSupervisor }) => isSupervisor);
  if (supervisor === undefined) throw new TestbedError("bad-usage", `the lab ${runId} is gone`);
  if (supervisor.nodes.length === 0) {
    throw new TestbedError("no-permission", `expected the lab ${runId} to be this user's, and it is another's`, {
      hint: "labs are entered by whoever made them",
    });
  }
  if (!supervisor.nodes.includes(node)) {
    throw new TestbedError("bad-usage", `the lab ${runId} has no node ${node}`, {
      hint: `its nodes are ${supervisor.nodes.join(", ")}`,
    });
  }
  const words = (await wordsOfRoom(processes, node, command)) ?? wordsOfNode(supervisor, node, command);
  const child = await started("nsenter", () => spawn("nsenter", words, { stdio: "inherit", ...outside() }));
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return exitCodeOf(code, signal);
}

/** The names of the lab resolve in a node as its agent sees them: `nodeScript` made these files. */
const NODE_SCRIPT = `
mount --bind "/run/$0.hosts" /etc/hosts && mount --bind "/run/$0.resolv.conf" /etc/resolv.conf || exit 125
exec "$@"`;

function wordsOfNode({ pid, labels }: LabProcess, node: string, command: readonly string[]): readonly string[] {
  const inNode = ["ip", "netns", "exec", node, "sh", "-c", NODE_SCRIPT, node];
  return [...enterLab(pid), ...memberOf(labels), ...inNode, ...environmentWords(node), ...command];
}

/** The way into the room of a host's program; undefined where the node is no host, or its program has ended. */
async function wordsOfRoom(
  processes: readonly LabProcess[],
  node: string,
  command: readonly string[],
): Promise<readonly string[] | undefined> {
  const waiting = processes.find(({ labels }) => labels.get(PROGRAM_LABEL) === node);
  const program = waiting === undefined ? undefined : await firstOfNamespace(waiting.pid);
  if (waiting === undefined || program === undefined) return undefined;
  const rights = withoutRights(waiting.labels.get(RIGHTS_LABEL) ?? "-all");
  const labels = new Map([...waiting.labels].filter(([key]) => key !== PROGRAM_LABEL && key !== RIGHTS_LABEL));
  return [...enterLab(program), ...memberOf(labels), ...rights, "--", ...environmentWords(node), ...command];
}

/** Nothing of the user's environment but how the terminal is spoken to. */
function environmentWords(node: string): readonly string[] {
  const terminal = process.env["TERM"];
  const variables = { ...hostEnvironment(node), ...(terminal === undefined ? {} : { TERM: terminal }) };
  return ["env", "-i", ...Object.entries(variables).map(([key, value]) => `${key}=${value}`)];
}
