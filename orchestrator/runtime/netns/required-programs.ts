/** The programs of the machine that a lab of network namespaces needs. */

import { DAEMON_PROGRAMS, type DaemonProgram } from "../../plan/daemons/programs.ts";
import type { NodeSpec } from "../../plan/plan.ts";
import { TestbedError } from "../../support/errors.ts";
import { isInstalled, searchPath } from "../../support/search-path.ts";

/** The part of a node that decides which programs it needs. */
export interface ProgramUse {
  readonly setup: Pick<NodeSpec["setup"], "rules"> & Partial<Pick<NodeSpec["setup"], "role" | "daemons">>;
}

export interface RequiredProgram {
  readonly name: string;
  /** The Debian package that contains it. */
  readonly debianPackage: string;
  /** What it does for a lab, as a phrase after the program's name. */
  readonly purpose: string;
  /** The unit of systemd by which its package would run it on the machine as well; absent for most. */
  readonly unit?: string;
  readonly isNeededFor: (nodes: readonly ProgramUse[]) => boolean;
}

type RuleTool = ProgramUse["setup"]["rules"][number]["tool"];

const always = (): boolean => true;

const whereRulesAreFor =
  (tool: RuleTool) =>
  (nodes: readonly ProgramUse[]): boolean =>
    nodes.some(({ setup }) => setup.rules.some((rule) => rule.tool === tool));

const whereHostsAre = (nodes: readonly ProgramUse[]): boolean => nodes.some(({ setup }) => setup.role?.type === "host");

const whereItRuns =
  ({ name }: DaemonProgram) =>
  (nodes: readonly ProgramUse[]): boolean =>
    nodes.some(({ setup: { daemons = [] } }) => daemons.some(({ command: [program] }) => program === name));

/** Without `tc`, which is not among them, links are impaired in user space. */
export const REQUIRED_PROGRAMS: readonly RequiredProgram[] = [
  { name: "unshare", debianPackage: "util-linux", purpose: "makes the namespaces of a lab", isNeededFor: always },
  { name: "nsenter", debianPackage: "util-linux", purpose: "starts programs in these namespaces", isNeededFor: always },
  {
    name: "mount",
    debianPackage: "mount",
    purpose: "mounts the files that each node has of its own",
    isNeededFor: always,
  },
  { name: "ip", debianPackage: "iproute2", purpose: "makes interfaces, addresses and routes", isNeededFor: always },
  {
    name: "setpriv",
    debianPackage: "util-linux",
    purpose: "takes rights from the programs of hosts",
    isNeededFor: whereHostsAre,
  },
  {
    name: "nft",
    debianPackage: "nftables",
    purpose: "loads the translation rules of NATs",
    isNeededFor: whereRulesAreFor("nft"),
  },
  {
    name: "iptables-restore",
    debianPackage: "iptables",
    purpose: "loads the IPv4 filter rules of NATs and firewalls",
    isNeededFor: whereRulesAreFor("iptables"),
  },
  {
    name: "ip6tables-restore",
    debianPackage: "iptables",
    purpose: "loads the IPv6 filter rules of NATs and firewalls",
    isNeededFor: whereRulesAreFor("ip6tables"),
  },
  ...Object.values(DAEMON_PROGRAMS).map((program) => ({ ...program, isNeededFor: whereItRuns(program) })),
  {
    name: "tcpdump",
    debianPackage: "tcpdump",
    purpose: "shows the packets of a running lab",
    // Agents capture by themselves; only tests and people debugging a lab use it.
    isNeededFor: () => false,
  },
  {
    name: "dig",
    debianPackage: "bind9-dnsutils",
    purpose: "asks name servers in tests",
    isNeededFor: () => false,
  },
  {
    name: "upnpc",
    debianPackage: "miniupnpc",
    purpose: "asks NATs for ports by UPnP in tests",
    isNeededFor: () => false,
  },
  {
    name: "natpmpc",
    debianPackage: "natpmpc",
    purpose: "asks NATs for ports by NAT-PMP in tests",
    isNeededFor: () => false,
  },
];

/** Those of `programs` that are in no directory of `path`. */
export async function missingPrograms(
  programs: readonly RequiredProgram[],
  path = searchPath(),
): Promise<readonly RequiredProgram[]> {
  const installed = await Promise.all(programs.map(({ name }) => isInstalled(name, path)));
  return programs.filter((_, i) => installed[i] !== true);
}

/** The packages that contain these programs, each once. */
export function packagesOf(programs: readonly RequiredProgram[]): readonly string[] {
  return [...new Set(programs.map(({ debianPackage }) => debianPackage))];
}

/** Throws `no-program`, with the packages to install, where the machine lacks a program that these nodes need. */
export async function requirePrograms(nodes: readonly ProgramUse[], path = searchPath()): Promise<void> {
  const missing = await missingPrograms(
    REQUIRED_PROGRAMS.filter(({ isNeededFor }) => isNeededFor(nodes)),
    path,
  );
  if (missing.length === 0) return;
  const list = missing.map(({ name, purpose }) => `${name}, which ${purpose}`).join("; ");
  throw new TestbedError("no-program", `the netns runtime needs programs that are not installed: ${list}`, {
    hint: `npm run setup -- --runtime netns, or as root: apt-get install ${packagesOf(missing).join(" ")}`,
  });
}
