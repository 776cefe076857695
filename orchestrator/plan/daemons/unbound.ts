/** A name server that knows the names of the lab's nodes and no others: unbound. */

import { createSynthesis, type DaemonSetup, type NodeSetup } from "@testbed/agent/control";
import { familyOfText } from "../../topology/model/address-text.ts";
import type { ResolvedDnsServer } from "../../topology/model/resolved.ts";
import { DAEMON_PROGRAMS } from "./programs.ts";

/** How long an answer may be kept, seconds: short, as nodes come and go. */
const TTL_SEC = 60;

/** `-d`: in the foreground, `-p`: no file with its process id. */
export function unbound({ listen, dns64 }: ResolvedDnsServer, names: NodeSetup["hosts"]): DaemonSetup {
  const { name } = DAEMON_PROGRAMS.unbound;
  return {
    name,
    command: [name, "-d", "-p", "-c", "/dev/stdin"],
    configuration: unboundConfiguration(listen, dns64 === undefined ? names : [...names, ...synthesised(dns64, names)]),
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

/** The name by which programs discover the prefix, and its IPv4 addresses (RFC 7050 section 8). */
const DISCOVERY = ["192.0.0.170", "192.0.0.171"].map((address) => ({ name: "ipv4only.arpa", address }));

/**
 * IPv6 addresses of names with IPv4 alone. As records, because unbound's own DNS64 module synthesises from answers of
 * other servers, and here there are none.
 */
function synthesised(prefix: string, names: NodeSetup["hosts"]): NodeSetup["hosts"] {
  const { toIpv6 } = createSynthesis(prefix);
  const native = new Set(names.flatMap(({ name, address }) => (familyOfText(address) === 6 ? [name] : [])));
  const ipv4Alone = [...names, ...DISCOVERY].filter(({ name }) => !native.has(name));
  return [...DISCOVERY, ...ipv4Alone.map(({ name, address }) => ({ name, address: toIpv6(address) }))];
}

function recordType(address: string): "A" | "AAAA" {
  return familyOfText(address) === 4 ? "A" : "AAAA";
}
