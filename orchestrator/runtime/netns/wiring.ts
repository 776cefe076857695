/** The commands that make a lab's segments, nodes and interfaces, as text for `ip -batch`. Pure: nothing here runs. */

import type { NodeSpec, SegmentSpec, Sysctls } from "../../plan/plan.ts";

/**
 * The two ends of a veth pair must not have the same index in their namespaces: the kernel would delay the first packet
 * by about a second (measured 10 of 11 times on Linux 6.18). Bridge ends count from here, node ends from 101.
 */
const FIRST_BRIDGE_PORT_INDEX = 1001;
const FIRST_NODE_INDEX = 101;

/** One bridge per segment in the lab's network namespace, without STP and multicast snooping. */
export function bridgeBatch(segments: readonly SegmentSpec[]): string {
  return lines(
    segments.flatMap((_, i) => [
      `link add ${bridgeName(i)} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
      `link set ${bridgeName(i)} addrgenmode none`,
      `link set ${bridgeName(i)} up`,
    ]),
  );
}

/**
 * A namespace per node, and a veth pair per interface: the bridge end is up, the agent brings the node end up. A bridge
 * carries no frame of any kind between isolated ports (Linux 4.18).
 */
export function nodeBatch(segments: readonly SegmentSpec[], nodes: readonly NodeSpec[]): string {
  const bridgeOf = new Map(segments.map((segment, i) => [segment.name, bridgeName(i)]));
  const attachments = nodes.flatMap((node) => node.setup.interfaces.map((iface) => ({ node, iface })));
  return lines([
    ...nodes.map((node) => `netns add ${node.name}`),
    ...attachments.flatMap(({ node, iface }, i) => {
      const port = `p${i}`;
      return [
        `link add name ${iface.interfaceName} index ${FIRST_NODE_INDEX + i} netns ${node.name} type veth ` +
          `peer name ${port} index ${FIRST_BRIDGE_PORT_INDEX + i}`,
        `link set ${port} master ${bridgeOf.get(iface.segment) ?? "none"} addrgenmode none`,
        ...(node.isolatedOn?.includes(iface.segment) === true
          ? [`link set ${port} type bridge_slave isolated on`]
          : []),
        `link set ${port} up`,
      ];
    }),
  ]);
}

/**
 * Defaults of every namespace. A new namespace copies `ip_forward=1` from a machine that runs Docker, and a lab must
 * not accept router advertisements. As in an engine's containers, programs need no right for low ports and for ping.
 */
const NAMESPACE_DEFAULTS: Sysctls = {
  "net.ipv4.ip_forward": "0",
  "net.ipv4.ip_unprivileged_port_start": "0",
  "net.ipv4.ping_group_range": "0 0",
  "net.ipv4.conf.all.rp_filter": "0",
  "net.ipv4.conf.default.rp_filter": "0",
  "net.ipv6.conf.all.forwarding": "0",
  "net.ipv6.conf.all.disable_ipv6": "0",
  "net.ipv6.conf.default.disable_ipv6": "0",
  "net.ipv6.conf.default.accept_ra": "0",
};

/** Paths of /proc/sys with the values of a node, which override the defaults. */
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
