/** The cost of a command, including all processes that it starts and leaves to be killed. */

import { execa } from "execa";

export interface Cost {
  readonly wallSeconds: number;
  /** User and system time of every process. */
  readonly cpuSeconds: number;
}

/**
 * In a separate PID namespace the shell inherits, and waits for, all processes that outlive their parent, so that the
 * time of a killed lab counts as well. The figures are those of the shell's last line: its time, then its children's.
 */
const SCRIPT = `
"$@"; code=$?
while set -- /proc/[0-9]*; [ $# -gt 1 ]; do sleep 0.05; done
echo $code >&3
times >&3`;

/** Runs a command in the directory `cwd`. Throws when it fails. */
export async function costOf(command: readonly string[], cwd: string): Promise<Cost> {
  const startedAt = performance.now();
  const words = ["--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", SCRIPT, "sh", ...command];
  const { stdio } = await execa("unshare", words, { cwd, stdio: ["ignore", "ignore", "inherit", "pipe"] });
  const wallSeconds = (performance.now() - startedAt) / 1000;
  const [code = "", , children = ""] = stdio[3].trim().split("\n");
  if (code !== "0") throw new Error(`${command.join(" ")} ended with exit code ${code}`);
  return {
    wallSeconds,
    cpuSeconds: children
      .split(" ")
      .map(secondsOf)
      .reduce((sum, seconds) => sum + seconds, 0),
  };
}

/** `1m2.345s` */
function secondsOf(text: string): number {
  const [, minutes = "0", seconds = "0"] = /^(\d+)m([\d.]+)s$/.exec(text) ?? [];
  return Number(minutes) * 60 + Number(seconds);
}
