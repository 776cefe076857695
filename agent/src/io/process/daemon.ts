/**
 * Programs of other projects that serve a lab from a node's namespaces, such as a name server. A node starts them, waits
 * until they serve, passes their output on to its log, and ends them. One that ends before its node fails the node.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { DaemonSetup } from "../../control/messages.ts";
import { NodeFailure } from "../failure.ts";
import { adopt } from "./command.ts";

export interface Daemon {
  /** Ends it; resolves when it has ended, so that its ports are free. */
  stop(): Promise<void>;
}

/**
 * Hands the configuration over as a pipe at the daemon's standard input, which it reads as the file /dev/stdin: nothing
 * is written to a disk, and profiles of AppArmor, which know a daemon's usual files alone, have no say. What the shell
 * reads becomes no shell text. It is replaced by the daemon, which so has the shell's process id.
 */
const WITH_CONFIGURATION = 'exec "$@" <<END\n$(cat)\nEND';

/** How many of a daemon's last lines a failure carries. */
const TAIL_LINES = 10;

/**
 * Starts a daemon; resolves when a line of its output says that it serves. Rejects with `daemon-failed` when it ends
 * before that. Later, `onFailure` is called once if it ends before `stop`.
 */
export async function startDaemon(setup: DaemonSetup, onFailure: (failure: NodeFailure) => void): Promise<Daemon> {
  const child = adopt(
    spawn("sh", ["-c", WITH_CONFIGURATION, setup.name, ...setup.command], {
      stdio: "pipe",
      env: { ...process.env, LC_ALL: "C" },
    }),
  );
  const tail: string[] = [];
  let isStopped = false;
  const ended = new Promise<NodeFailure>((resolve) => {
    child.once("error", (error) => resolve(failureOf(setup, `could not be started: ${error.message}`, tail)));
    child.once("close", (code, signal) => {
      const how = signal === null ? `ended with exit code ${code ?? -1}` : `was killed by ${signal}`;
      resolve(failureOf(setup, `${how} before the lab did`, tail));
    });
  });
  const serves = new Promise<void>((resolve) => {
    const onLine = (line: string): void => {
      process.stderr.write(`${setup.name}: ${line}\n`);
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      if (line.includes(setup.readyOutput)) resolve();
    };
    for (const input of [child.stdout, child.stderr]) createInterface({ input }).on("line", onLine);
  });
  child.stdin.end(setup.configuration);
  const early = await Promise.race([serves, ended]);
  if (early !== undefined) throw early;
  void ended.then((failure) => {
    if (!isStopped) onFailure(failure);
  });
  return {
    async stop() {
      isStopped = true;
      end(child);
      await ended;
    },
  };
}

/** A daemon of a lab has nothing to keep: its state goes with the lab, or with the router that reboots. */
function end(child: ChildProcess): void {
  child.kill("SIGKILL");
}

function failureOf({ name }: DaemonSetup, how: string, tail: readonly string[]): NodeFailure {
  const said = tail.length === 0 ? "it said nothing" : `its last words:\n${tail.join("\n")}`;
  return new NodeFailure("daemon-failed", `the daemon ${name} ${how}; ${said}`);
}
