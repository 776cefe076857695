/** The runtimes; each has a folder beside this file, and `commands/create-runtime.ts` opens them. */

/** In the order in which `auto` tries them. */
export const RUNTIME_NAMES = ["docker", "netns"] as const;

export type RuntimeName = (typeof RUNTIME_NAMES)[number];

/** What a user may request: a runtime by name, or the first one that this machine has. */
export const RUNTIME_CHOICES = [...RUNTIME_NAMES, "auto"] as const;

export type RuntimeChoice = (typeof RUNTIME_CHOICES)[number];

/** What a runtime requires, as the help shows it after the name. */
export const RUNTIME_CONDITIONS: Readonly<Record<RuntimeName, string>> = {
  docker: "where an engine answers",
  netns: "with root, or a kernel that lets ordinary users make user namespaces and /dev/net/tun open to them",
};
