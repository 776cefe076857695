/** Port mapping by request, PCP, NAT-PMP and UPnP IGD: miniupnpd in a router with a NAT. */

import type { DaemonSetup } from "@testbed/agent/control";
import { portPools } from "../../render/drawn-ports.ts";
import { PORT_MAPPER_PORTS, PORT_MAPPING } from "../../render/port-mapping.ts";
import { formatNetwork, parseNetwork } from "../../topology/model/address-text.ts";
import type { ResolvedRouter } from "../../topology/model/resolved.ts";
import { derivedHex } from "../../topology/resolve/seed.ts";
import { DAEMON_PROGRAMS } from "./programs.ts";

/** Ports below are those of servers: no request for them is granted, nor for one to be mapped to. */
const FIRST_PORT = 1024;

/**
 * Where it would write its process id: nowhere. It removes that file when it ends, and a device that it was given there
 * would be the machine's.
 */
const NO_PROCESS_ID = "/nonexistent/miniupnpd.pid";

/** `-d`: in the foreground. */
export function miniupnpd(router: ResolvedRouter): DaemonSetup {
  const { name } = DAEMON_PROGRAMS.miniupnpd;
  return {
    name,
    command: [name, "-d", "-f", "/dev/stdin", "-P", NO_PROCESS_ID],
    configuration: configurationOf(router),
    readyOutput: router.portMapping.some((protocol) => protocol !== "upnp")
      ? `NAT-PMP/PCP traffic on port ${PORT_MAPPER_PORTS.pcp}`
      : `HTTP listening on port ${PORT_MAPPER_PORTS.http}`,
  };
}

/**
 * Text of miniupnpd.conf. Hosts map ports to themselves alone. Refused are the ports that the NAT may draw for
 * mappings of its own accord, and those of static forwards. Where the outside address is private, miniupnpd refuses everything.
 */
function configurationOf(router: ResolvedRouter): string {
  const { wan, lan, portMapping, nat, interfaces } = router;
  const usesPcp = portMapping.some((protocol) => protocol !== "upnp");
  const networks = interfaces.flatMap(({ interfaceName, ipv4 }) =>
    lan.includes(interfaceName) && ipv4 !== undefined ? [formatNetwork(parseNetwork(ipv4))] : [],
  );
  return [
    `ext_ifname=${wan.join()}`,
    ...lan.map((name) => `listening_ip=${name}`),
    "ipv6_disable=yes",
    `enable_natpmp=${usesPcp ? "yes" : "no"}`,
    `enable_upnp=${portMapping.includes("upnp") ? "yes" : "no"}`,
    `http_port=${PORT_MAPPER_PORTS.http}`,
    `upnp_table_name=${PORT_MAPPING.table}`,
    `upnp_nat_table_name=${PORT_MAPPING.table}`,
    `upnp_forward_chain=${PORT_MAPPING.forward}`,
    `upnp_nat_chain=${PORT_MAPPING.inward}`,
    `upnp_nat_postrouting_chain=${PORT_MAPPING.outward}`,
    "secure_mode=yes",
    "clean_ruleset_interval=0",
    `uuid=${uuidOf(nat?.seed ?? 0)}`,
    ...portRanges(keptPorts(router)).map((ports) => `deny ${ports} 0.0.0.0/0 0-65535`),
    ...networks.map((network) => `allow ${FIRST_PORT}-65535 ${network} ${FIRST_PORT}-65535`),
    "deny 0-65535 0.0.0.0/0 0-65535",
    "",
  ].join("\n");
}

/** Ports that the NAT draws, and those of static forwards. */
function keptPorts({ nat, forwards, insideHosts }: ResolvedRouter): readonly number[] {
  const drawn = nat === undefined ? [] : portPools(nat, [], insideHosts).flatMap(({ ports }) => ports);
  return [...new Set([...drawn, ...forwards.map(({ port }) => port)])].toSorted((a, b) => a - b);
}

/** Ports in order as ranges, such as `50000-50003`. */
function portRanges(ports: readonly number[]): readonly string[] {
  const ranges: { first: number; last: number }[] = [];
  for (const port of ports) {
    const current = ranges.at(-1);
    if (current?.last === port - 1) current.last = port;
    else ranges.push({ first: port, last: port });
  }
  return ranges.map(({ first, last }) => `${first}-${last}`);
}

/** By which UPnP tells devices apart; of the version for own schemes. */
function uuidOf(seed: number): string {
  const hex = derivedHex(seed, "uuid", 16);
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join("-");
}
