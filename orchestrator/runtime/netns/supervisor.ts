/**
 * The process whose exit ends a lab. It is the first process of its own PID, mount and network namespaces; its stdin is
 * a pipe from the run. When the run ends, for any reason, the pipe closes, the supervisor exits, and the kernel kills
 * every process of the lab and removes its namespaces, segments and mounts.
 */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { TestbedError } from "../../support/errors.ts";
import { started } from "../../support/start-process.ts";
import { enterLab, isRoot, memberOf } from "./enter-lab.ts";
import { endOrKill, KEPT_MARK, type Labels, labelWords, SUPERVISOR_NAME } from "./lab-processes.ts";
import { outside } from "./outside.ts";

/** The line on the supervisor's stdin that makes it outlive the run. */
const KEEP_LINE = "keep";

/**
 * A private `/run` keeps a lab's namespace names and lock files apart from other labs, and hides the machine's sockets.
 * Where /etc/resolv.conf is a link into the machine's /run, its target is made anew, since nodes mount theirs over it.
 * The loop ends with the pipe; `keep` turns it into an endless wait.
 */
const SUPERVISOR_SCRIPT = `
mount -t tmpfs tmpfs /run && mkdir /run/netns || exit 1
resolver=$(readlink -m /etc/resolv.conf)
[ -e "$resolver" ] || { mkdir -p "\${resolver%/*}" && : > "$resolver"; } || exit 1
echo ready
while read -r line; do
  [ "$line" = ${KEEP_LINE} ] && : > /run/${KEPT_MARK} && { sleep infinity & wait; }
done`;

const NO_LABELS: Labels = new Map();

/** A running supervisor, and how to run a program inside its lab. */
export interface Supervisor {
  /**
   * Arguments for `nsenter` that run a command in the lab's namespaces, as root of the lab. `nsenter` itself runs and
   * waits outside: what a topology file says reaches neither its arguments nor its environment. It carries the labels of
   * the lab, and `about` beside them.
   */
  readonly enter: (command: readonly string[], about?: Labels) => readonly string[];
  readonly keep: () => void;
  /** Ends the lab; resolves when the supervisor has exited. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts a supervisor; `labels` become visible in the process table. Throws `no-permission` where the kernel refuses.
 */
export async function startSupervisor(labels: Labels): Promise<Supervisor> {
  const child = await started("unshare", () =>
    spawn(
      "unshare",
      [
        ...(isRoot() ? [] : ["--user", "--map-root-user"]),
        ...["--net", "--uts", "--ipc", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"],
        ...["sh", "-c", SUPERVISOR_SCRIPT, SUPERVISOR_NAME, ...labelWords(labels)],
      ],
      { stdio: ["pipe", "pipe", "pipe"], detached: true, ...outside() },
    ),
  );
  // Its streams close when the shell has exited, at or after the exit of `unshare`.
  const closed = once(child, "close").catch((error: unknown) => error);
  await untilReady(child);
  child.stdout.resume();
  return {
    enter: (command, about = NO_LABELS) => [
      ...enterLab(child.pid ?? 0, "pid_for_children"),
      ...memberOf(new Map([...labels, ...about])),
      ...command,
    ],
    keep: () => void child.stdin.write(`${KEEP_LINE}\n`),
    // `unshare` collects the shell when the pipe ends it. Killed before, it would leave the shell to the machine's first
    // process, which may take a second or, in a container, collect nothing.
    stop: async () => {
      child.stdin.end();
      await endOrKill(closed, () => void child.kill("SIGKILL"));
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
