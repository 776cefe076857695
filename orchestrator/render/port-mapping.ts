/**
 * Where the port mapper of a router (miniupnpd, `plan/daemons/miniupnpd.ts`) puts the ports that inside hosts ask for:
 * chains of a table of its own, which see a packet before the NAT's. A mapped port is a forward made at run time.
 */

import type { ResolvedRouter } from "../topology/model/resolved.ts";

/** The table, and the chains in it that the daemon fills. */
export const PORT_MAPPING = {
  table: "mice_port_mapping",
  /** Destination NAT of packets from outside. */
  inward: "mapped_inward",
  /** Source NAT of packets from inside, which it needs for `PEER` of PCP alone. */
  outward: "mapped_outward",
  /** Filter rules, on which nothing depends: the firewall admits what was translated. */
  forward: "mapped_forward",
} as const;

/** Where the daemon listens, on the inside. */
export const PORT_MAPPER_PORTS = {
  /** PCP (RFC 6887 section 19) and NAT-PMP (RFC 6886 section 3.1), told apart by the version in the first octet. */
  pcp: 5351,
  /** UPnP's discovery (UPnP Device Architecture 1.1 section 1) */
  ssdp: 1900,
  /** UPnP's descriptions and actions. */
  http: 5000,
} as const;

/** Versions of the two protocols of port 5351 (RFC 6887 section 7, RFC 6886 section 3.5). */
const VERSIONS = { "nat-pmp": 0, pcp: 2 } as const;

/**
 * Text for `nft -f`; loading it again removes all mappings. Undefined for a router that maps no ports by request. The
 * daemon answers both protocols of port 5351, so requests of one that is not declared are dropped.
 */
export function renderPortMapping({ portMapping }: ResolvedRouter): string | undefined {
  if (portMapping.length === 0) return undefined;
  const { table, inward, outward, forward } = PORT_MAPPING;
  const undeclared = (["nat-pmp", "pcp"] as const).filter((protocol) => !portMapping.includes(protocol));
  return [
    `table inet ${table}`,
    `delete table inet ${table}`,
    `table inet ${table} {`,
    "  chain inward {",
    "    type nat hook prerouting priority dstnat - 6; policy accept;",
    `    meta nfproto ipv4 jump ${inward};`,
    "  }",
    "",
    "  chain outward {",
    "    type nat hook postrouting priority srcnat - 6; policy accept;",
    `    meta nfproto ipv4 jump ${outward};`,
    "  }",
    ...(undeclared.length === 0
      ? []
      : [
          "",
          "  chain requests {",
          "    type filter hook input priority filter; policy accept;",
          ...undeclared.map(
            (protocol) => `    udp dport ${PORT_MAPPER_PORTS.pcp} @th,64,8 ${VERSIONS[protocol]} drop;`,
          ),
          "  }",
        ]),
    ...[inward, outward, forward].flatMap((chain) => ["", `  chain ${chain} {`, "  }"]),
    "}",
    "",
  ].join("\n");
}

/** Requests from one inside segment, as rules for iptables-restore. */
export function portMappingRequests({ portMapping }: ResolvedRouter, lan: string): string[] {
  const { pcp, ssdp, http } = PORT_MAPPER_PORTS;
  return [
    ...(portMapping.some((protocol) => protocol !== "upnp") ? [udp(lan, pcp)] : []),
    ...(portMapping.includes("upnp")
      ? [udp(lan, ssdp), `-A INPUT -i ${lan} -p tcp -m tcp --dport ${http} -j ACCEPT`]
      : []),
  ];
}

function udp(lan: string, port: number): string {
  return `-A INPUT -i ${lan} -p udp -m udp --dport ${port} -j ACCEPT`;
}
