/** How a program outside of a lab enters it, as words for `nsenter`, which itself runs and waits outside. */

import { type Labels, labelWords, MEMBER_NAME } from "./lab-processes.ts";

/** Whether labs are made and entered without a user namespace. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * Options for `nsenter`: the namespaces of a lab's process. `pidNamespace` is `pid`, or `pid_for_children` of the process
 * whose child is the lab's first process. What follows is the command, as root of the lab.
 */
export function enterLab(pid: number, pidNamespace: "pid" | "pid_for_children" = "pid"): readonly string[] {
  const namespaces = `/proc/${pid}/ns`;
  return [
    ...(isRoot() ? [] : [`--user=${namespaces}/user`, "--preserve-credentials"]),
    ...["net", "uts", "ipc"].map((kind) => `--${kind}=${namespaces}/${kind}`),
    ...[`--mount=${namespaces}/mnt`, `--pid=${namespaces}/${pidNamespace}`, "--"],
  ];
}

/** A command that runs the words after it, and by whose labels the processes of a lab are found. */
export function memberOf(labels: Labels): readonly string[] {
  const words = labelWords(labels);
  return ["sh", "-c", `shift ${words.length}; exec "$@"`, MEMBER_NAME, ...words];
}
