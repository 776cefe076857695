/**
 * The process whose exit ends a lab. It is the first process of its own PID, mount and network namespaces; its stdin is
 * a pipe from the run. When the run ends, for any reason, the pipe closes, the supervisor exits, and the kernel kills
 * every process of the lab and removes its namespaces, segments and mounts.
 */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { TestbedError } from "../../support/errors.ts";
import { searchPath } from "../../support/search-path.ts";
import type { RunIdentity } from "../runtime.ts";

/** Identifies supervisors in the process table: the name of the shell, followed by `key=value` words. */
export const SUPERVISOR_NAME = "mice-testbed-lab";

/** The line on the supervisor's stdin that makes it outlive the run. */
const KEEP_LINE = "keep";

/**
 * A private `/run` keeps a lab's namespace names and lock files apart from other labs, and hides the machine's sockets.
 * The loop ends with the pipe; `keep` turns it into an endless wait.
 */
const SUPERVISOR_SCRIPT = `
mount -t tmpfs tmpfs /run && mkdir /run/netns && echo ready || exit 1
while read -r line; do
  [ "$line" = ${KEEP_LINE} ] && { sleep infinity & wait; }
done`;

/** A running supervisor, and how to run a program inside its lab. */
export interface Supervisor {
  /** Arguments for `nsenter` that run a command in the lab's namespaces, as root of the lab. */
  readonly enter: (command: readonly string[]) => readonly string[];
  readonly keep: () => void;
  /** Ends the lab; resolves when the supervisor has exited. */
  readonly stop: () => Promise<void>;
}

/** The `key=value` words of a supervisor's command line; `netns-runtime.ts` reads them. */
export function supervisorLabels({ runId, topology, owner }: RunIdentity): Record<string, string> {
  return {
    run: runId,
    topology,
    "owner-pid": String(owner.pid),
    "owner-start": owner.startTicks,
    "boot-id": owner.bootId,
  };
}

/**
 * Starts a supervisor; `labels` become visible in the process table. Throws `no-permission` where the kernel refuses.
 */
export async function startSupervisor(labels: Readonly<Record<string, string>>): Promise<Supervisor> {
  const isRoot = process.getuid?.() === 0;
  const words = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const child = spawn(
    "unshare",
    [
      ...(isRoot ? [] : ["--user", "--map-root-user"]),
      ...["--net", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"],
      ...["sh", "-c", SUPERVISOR_SCRIPT, SUPERVISOR_NAME, ...words],
    ],
    { stdio: ["pipe", "pipe", "pipe"], detached: true, env: { ...process.env, PATH: searchPath() } },
  );
  // Its streams close when the shell has exited, at or after the exit of `unshare`.
  const closed = once(child, "close").catch((error: unknown) => error);
  await untilReady(child);
  child.stdout.resume();
  const namespaces = `/proc/${child.pid ?? 0}/ns`;
  return {
    enter: (command) => [
      ...(isRoot ? [] : [`--user=${namespaces}/user`, "--preserve-credentials"]),
      ...[`--net=${namespaces}/net`, `--mount=${namespaces}/mnt`, `--pid=${namespaces}/pid_for_children`, "--"],
      ...command,
    ],
    keep: () => void child.stdin.write(`${KEEP_LINE}\n`),
    stop: async () => {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

async function untilReady(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<void> {
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const isReady = await Promise.race([
    once(child.stdout, "data").then(() => true),
    once(child, "exit").then(() => false),
  ]).catch((error: unknown) => {
    errors += String(error);
    return false;
  });
  if (!isReady) {
    const found = `expected to be able to make the namespaces of a lab; found ${errors.trim()}`;
    throw new TestbedError("no-permission", found, {
      hint: [
        "run as root, or let ordinary users make user namespaces, which this kernel or its policy forbids: as root,",
        "sysctl user.max_user_namespaces=15000, on Debian also kernel.unprivileged_userns_clone=1, on Ubuntu 24.04 and",
        "later kernel.apparmor_restrict_unprivileged_userns=0; in a container, no seccomp profile that keeps unshare out",
      ].join(" "),
    });
  }
}
