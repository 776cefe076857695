/** Runs programs that need root: directly, or through sudo. */

import { execa } from "execa";
import { TestbedError } from "../support/errors.ts";
import { type Say, withSignOfLife } from "./progress.ts";

/** How this process can run a command as root. */
export type RootAccess = "root" | "sudo" | "none";

/** How many of a failed program's last lines an error carries. */
const OUTPUT_TAIL_LINES = 15;

/** Prefixes a command so that it runs as root. */
export function asRoot(access: RootAccess, command: readonly string[]): readonly [string, ...string[]] {
  const [file = "", ...args] = command;
  return access === "sudo" ? ["sudo", file, ...args] : [file, ...args];
}

/**
 * Prints a command and runs it as root. `sudo` may prompt for a password on the terminal. Throws `setup-failed` with
 * the end of the output.
 */
export async function runAsRoot(access: RootAccess, command: readonly string[], say: Say): Promise<void> {
  const [file, ...args] = asRoot(access, command);
  say(`  $ ${[file, ...args].join(" ")}`);
  const result = await withSignOfLife(
    say,
    `running ${command.find((word) => word !== "env" && !word.includes("=")) ?? file}`,
    execa(file, args, { stdin: "inherit", all: true, reject: false }),
  );
  if (!result.failed) return;
  const tail = result.all.split("\n").slice(-OUTPUT_TAIL_LINES).join("\n");
  throw new TestbedError("setup-failed", `${command.join(" ")} failed:\n${tail || result.shortMessage}`);
}

/** Whether and how this user can become root; never prompts. */
export async function findRootAccess(): Promise<RootAccess> {
  if (process.getuid?.() === 0) return "root";
  const { failed, code } = await execa("sudo", ["-n", "true"], { reject: false, stdio: "ignore" });
  if (!failed) return "sudo";
  // With a terminal, sudo can still prompt for the password.
  return code !== "ENOENT" && process.stdin.isTTY ? "sudo" : "none";
}
