/** The commands that segment a lab, as text for `ip -batch`: deciding only, nothing here runs. */

import type { NodeSpec, SegmentSpec, Sysctls } from "../../plan/plan.ts";

/**
 * Both ends of a veth pair must not have the same index in their namespaces: the kernel then delays the first packet by
 * about a second (measured 10 of 11 times on Linux 6.18). Bridge ends count from here, node ends from 101.
 */
const FIRST_BRIDGE_PORT_INDEX = 1001;
const FIRST_NODE_INDEX = 101;

/** One bridge per segment in the lab's own namespace. Bridges learn nothing that a segment would not: no STP, no snooping. */
export function bridgeBatch(segments: readonly SegmentSpec[]): string {
  return lines(
    segments.flatMap((_, i) => [
      `link add ${bridgeName(i)} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      `link set ${bridgeName(i)} addrgenmode none`,
      `link set ${bridgeName(i)} up`,
    ]),
  );
}

/** A namespace per node, and a veth pair per attachment whose bridge end is up and whose node end waits for the agent. */
export function nodeBatch(segments: readonly SegmentSpec[], nodes: readonly NodeSpec[]): string {
  const bridgeOf = new Map(segments.map((segment, i) => [segment.name, bridgeName(i)]));
  const attachments = nodes.flatMap((node) => node.setup.interfaces.map((iface) => ({ node: node.name, iface })));
  return lines([
    ...nodes.map((node) => `netns add ${node.name}`),
    ...attachments.flatMap(({ node, iface }, i) => {
      const port = `p${i}`;
      return [
        `link add name ${iface.interfaceName} index ${FIRST_NODE_INDEX + i} netns ${node} type veth ` +
          `peer name ${port} index ${FIRST_BRIDGE_PORT_INDEX + i}`,
        `link set ${port} master ${bridgeOf.get(iface.segment) ?? "none"} addrgenmode none`,
        `link set ${port} up`,
      ];
    }),
  ]);
}

/**
 * What every namespace starts from. A new namespace copies `ip_forward=1` from a machine that runs Docker, and duplicate
 * address detection or router advertisements have no place in a lab.
 */
const NAMESPACE_DEFAULTS: Sysctls = {
  "net.ipv4.ip_forward": "0",
  "net.ipv4.conf.all.rp_filter": "0",
  "net.ipv4.conf.default.rp_filter": "0",
  "net.ipv6.conf.all.forwarding": "0",
  "net.ipv6.conf.all.disable_ipv6": "0",
  "net.ipv6.conf.default.disable_ipv6": "0",
  "net.ipv6.conf.default.accept_ra": "0",
};

/** Lines `path value` of /proc/sys for a node, its own parameters after the defaults. */
export function sysctlWrites(sysctls: Sysctls): readonly (readonly [path: string, value: string])[] {
  return Object.entries({ ...NAMESPACE_DEFAULTS, ...sysctls }).map(([name, value]) => [
    `/proc/sys/${name.replaceAll(".", "/")}`,
    value,
  ]);
}

function bridgeName(index: number): string {
  return `b${index}`;
}

function lines(commands: readonly string[]): string {
  return commands.map((command) => `${command}\n`).join("");
}
