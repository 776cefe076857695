/** Processes of a lab, as the machine sees them: of nodes, and of hosts' programs. */

import { readFile } from "node:fs/promises";

/** Sends a signal to a node's process, given the one that waits for it outside; nothing where it has ended. */
export async function signalNode({ pid }: { readonly pid?: number | undefined }, name: NodeJS.Signals): Promise<void> {
  const [child] = pid === undefined ? [] : await childrenOf(pid);
  if (child !== undefined) signal(child, name);
}

/** Sends a signal to a program, given the process that waits for it outside; nothing where it has ended. */
export async function signalProgram(waitingPid: number | undefined, name: NodeJS.Signals): Promise<void> {
  const pid = waitingPid === undefined ? undefined : await firstOfNamespace(waitingPid);
  if (pid !== undefined) signal(pid, name);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It has ended meanwhile.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return children.trim() === "" ? [] : children.trim().split(" ").map(Number);
}

/** The first process of a PID namespace of its own, among `pid` and those that it waits for. */
export async function firstOfNamespace(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const [, numbers] = /^NSpid:\t(.*)$/m.exec(status) ?? [];
  if (numbers === undefined) return undefined;
  const inEach = numbers.split("\t");
  if (inEach.length > 1 && inEach.at(-1) === "1") return pid;
  const [child] = await childrenOf(pid);
  return child === undefined ? undefined : firstOfNamespace(child);
}
