/**
 * The program that nodes of the contract tests run instead of the agent. It accepts the same set-up and the command
 * `exec`, so that a test can inspect a node from inside.
 */

import { execFile, execFileSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { createInterface } from "node:readline";
import type { InterfaceSetup, NodeSetup } from "@testbed/agent/control";

export type ProgramCommand =
  | { readonly type: "setup"; readonly setup: NodeSetup }
  | { readonly type: "exec"; readonly id: number; readonly command: readonly string[] }
  | { readonly type: "crash"; readonly code: number; readonly lastWords: readonly string[] }
  | { readonly type: "keep" };

export type ProgramReport =
  | { readonly type: "ready" }
  | { readonly type: "exec-done"; readonly id: number; readonly code: number; readonly output: string };

let isKept = false;

function report(value: ProgramReport): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function obey(command: ProgramCommand): void {
  switch (command.type) {
    case "setup":
      for (const iface of command.setup.interfaces) adoptInterface(iface);
      report({ type: "ready" });
      return;
    case "exec": {
      const [file = "", ...args] = command.command;
      execFile(file, args, { encoding: "utf8" }, (error, stdout, stderr) => {
        const code = error === null ? 0 : Number(error.code ?? 1);
        report({ type: "exec-done", id: command.id, code, output: stdout + stderr });
      });
      return;
    }
    case "crash":
      process.stderr.write(command.lastWords.map((line) => `${line}\n`).join(""));
      process.exitCode = command.code;
      process.stdin.destroy();
      return;
    case "keep":
      isKept = true;
      setInterval(() => undefined, 60_000);
      return;
  }
}

function adoptInterface({ find, interfaceName, mac, addresses }: InterfaceSetup): void {
  const name = find.by === "name" ? find.name : interfaceWith(find.address);
  const ip = (...args: readonly string[]): void => void execFileSync("ip", args);
  ip("link", "set", name, "down");
  ip("address", "flush", "dev", name);
  ip("link", "set", name, "name", interfaceName, "address", mac);
  for (const address of addresses) ip("address", "add", address, "dev", interfaceName);
  ip("link", "set", interfaceName, "up");
}

function interfaceWith(address: string): string {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some((candidate) => candidate.address === address) === true) return name;
  }
  throw new Error(`no interface has the address ${address}: ${JSON.stringify(networkInterfaces())}`);
}

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => obey(JSON.parse(line) as ProgramCommand));
lines.on("close", () => {
  if (!isKept && process.exitCode === undefined) process.exit(0);
});
