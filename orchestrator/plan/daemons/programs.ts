/** The programs of other projects that may run in a node, all of them packages of Debian. */

/** A daemon, and where it comes from. */
export interface DaemonProgram {
  /** Its program, and the name that logs and errors call it by. */
  readonly name: string;
  readonly debianPackage: string;
  /** What it does for a lab, as a phrase after the program's name. */
  readonly purpose: string;
  /** The unit of systemd that its package would start on the machine itself; absent if it has none. */
  readonly unit?: string;
}

/** `images/node/Dockerfile` has the same packages for containers; a test compares. */
export const DAEMON_PROGRAMS = {
  unbound: {
    name: "unbound",
    debianPackage: "unbound",
    purpose: "is the name server of nodes of role dns",
    unit: "unbound.service",
  },
  miniupnpd: {
    name: "miniupnpd",
    debianPackage: "miniupnpd-nftables",
    purpose: "maps ports of NATs by request",
  },
} as const satisfies Readonly<Record<string, DaemonProgram>>;
