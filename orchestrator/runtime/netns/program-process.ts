/** The process of a host's program, as the machine sees it. */

import { readFile } from "node:fs/promises";

/** Sends a signal to a program, given the process that waits for it outside; nothing where it has ended. */
export async function signalProgram(waitingPid: number | undefined, signal: NodeJS.Signals): Promise<void> {
  const pid = waitingPid === undefined ? undefined : await firstOfNamespace(waitingPid);
  if (pid === undefined) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended meanwhile.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** The first process of a PID namespace of its own, among `pid` and those that it waits for. */
async function firstOfNamespace(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const [, numbers] = /^NSpid:\t(.*)$/m.exec(status) ?? [];
  if (numbers === undefined) return undefined;
  const inEach = numbers.split("\t");
  if (inEach.length > 1 && inEach.at(-1) === "1") return pid;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const [child] = children.trim().split(" ");
  return child === undefined || child === "" ? undefined : firstOfNamespace(Number(child));
}
