/** A name server that knows the names of the lab's nodes and no others: unbound. */

import type { DaemonSetup, NodeSetup } from "@testbed/agent/control";
import { familyOfText } from "../../topology/model/address-text.ts";
import type { ResolvedDnsServer } from "../../topology/model/resolved.ts";
import { DAEMON_PROGRAMS } from "./programs.ts";

/** How long an answer may be kept, seconds: short, as nodes come and go. */
const TTL_SEC = 60;

/** `-d`: in the foreground, `-p`: no file with its process id. */
export function unbound({ listen }: ResolvedDnsServer, names: NodeSetup["hosts"]): DaemonSetup {
  const { name } = DAEMON_PROGRAMS.unbound;
  return {
    name,
    command: [name, "-d", "-p", "-c", "/dev/stdin"],
    configuration: unboundConfiguration(listen, names),
    readyOutput: "start of service",
  };
}

/** Text of unbound.conf(5): one zone, the root, with a record for each address, and NXDOMAIN for all else. */
function unboundConfiguration(listen: readonly string[], names: NodeSetup["hosts"]): string {
  const server = [
    "verbosity: 1",
    'chroot: ""',
    'username: ""',
    'directory: ""',
    'logfile: ""',
    "use-syslog: no",
    // One worker: a lab asks little.
    "num-threads: 1",
    'module-config: "iterator"',
    ...listen.map((address) => `interface: ${address}`),
    "access-control: 0.0.0.0/0 allow",
    "access-control: ::/0 allow",
    'local-zone: "." static',
    ...names.map(({ address, name }) => `local-data: "${name}. ${TTL_SEC} IN ${recordType(address)} ${address}"`),
    ...names.map(({ address, name }) => `local-data-ptr: "${address} ${TTL_SEC} ${name}."`),
  ];
  return ["server:", ...server.map((line) => `  ${line}`), "remote-control:", "  control-enable: no", ""].join("\n");
}

function recordType(address: string): "A" | "AAAA" {
  return familyOfText(address) === 4 ? "A" : "AAAA";
}
