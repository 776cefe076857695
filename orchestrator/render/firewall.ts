/**
 * The policy of a router, as texts for iptables-restore and ip6tables-restore. Each replaces the filter table and no
 * other: the Docker engine has rules in a node's nat table.
 *
 * New packets to the router itself are dropped. This is required: a stray packet that is accepted takes the port in
 * connection tracking, and the next packet from inside on that port leaves from another one. Only where the file says so
 * (`unsolicited: poison`) UDP from outside is accepted; nobody listens, so that its sender gets an ICMP error.
 */

import { NAT64_INTERFACE } from "@testbed/agent/control";
import { type Family, familyOfText } from "../topology/model/address-text.ts";
import { unsolicitedSynBy } from "../topology/model/presets.ts";
import type { ResolvedFirewall, ResolvedRouter, TcpNat } from "../topology/model/resolved.ts";
import { insideOf } from "./nat.ts";
import { portMappingRequests } from "./port-mapping.ts";

/** Text for `iptables-restore` (4) or `ip6tables-restore` (6). */
export function renderFirewall(written: ResolvedRouter, family: Family): string {
  const router = family === 4 ? { ...written, lan: insideOf(written) } : written;
  const translates = family === 4 && router.nat !== undefined;
  return [
    "*filter",
    ":INPUT DROP [0:0]",
    ":FORWARD DROP [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    "-A INPUT -i lo -j ACCEPT",
    "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    family === 4 ? "-A INPUT -p icmp -j ACCEPT" : "-A INPUT -p ipv6-icmp -j ACCEPT",
    ...(family === 4 ? router.lan.flatMap((lan) => portMappingRequests(router, lan)) : []),
    ...(family === 4 ? unsolicitedSyn(router) : []),
    ...(translates && router.nat.unsolicited === "poison"
      ? router.wan.map((wan) => `-A INPUT -i ${wan} -p udp -j ACCEPT`)
      : []),
    "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    ...(translates ? ["-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT"] : []),
    ...router.lan.flatMap((lan) => outbound(router, lan, family)),
    ...(family === 6 && router.nat64 !== undefined ? router.lan.flatMap(throughNat64) : []),
    ...(exchangesPrefixes(router, family) ? router.lan.map(turnedRound) : []),
    ...router.firewall.pinholes
      .filter(({ to }) => familyOfText(to) === family)
      .flatMap((hole) => router.wan.map((wan) => pinhole(wan, hole))),
    ...(router.firewall.inbound === "open" ? inbound(router) : []),
    ...(router.firewall.denied === "reject"
      ? ["INPUT", "FORWARD"].map((chain) => `-A ${chain} ${REJECT[family]}`)
      : []),
    "COMMIT",
    "",
  ].join("\n");
}

/** Rejects by ICMP: administratively prohibited (RFC 1812 section 5.2.7.1, RFC 4443 section 3.1). */
const REJECT: Readonly<Record<Family, string>> = {
  4: "-j REJECT --reject-with icmp-admin-prohibited",
  6: "-j REJECT --reject-with icmp6-adm-prohibited",
};

/** A SYN to the NAT's outside address that is let in to nobody, where its answer is not that of the firewall. */
function unsolicitedSyn({ wan, tcp, firewall }: ResolvedRouter): string[] {
  if (tcp === undefined || tcp.unsolicitedSyn === unsolicitedSynBy(firewall)) return [];
  return wan.map((name) => `-A INPUT -i ${name} -p tcp -m tcp --syn ${SYN_ANSWER[tcp.unsolicitedSyn]}`);
}

const SYN_ANSWER: Readonly<Record<TcpNat["unsolicitedSyn"], string>> = {
  drop: "-j DROP",
  reset: "-j REJECT --reject-with tcp-reset",
  icmp: "-j REJECT --reject-with icmp-port-unreachable",
};

/** From one LAN to the outside; UDP may be restricted. */
function outbound({ wan, firewall }: ResolvedRouter, lan: string, family: Family): string[] {
  return wan.flatMap((outside) => outboundBy(`-A FORWARD -i ${lan} -o ${outside}`, firewall, family));
}

function outboundBy(way: string, firewall: ResolvedFirewall, family: Family): string[] {
  const { outboundUdp, denied } = firewall;
  const refusal = denied === "reject" ? REJECT[family] : "-j DROP";
  const ports = typeof outboundUdp === "string" ? [] : outboundUdp;
  return [
    ...ports.map((port) => `${way} -p udp -m udp --dport ${port} -j ACCEPT`),
    ...(outboundUdp === "all" ? [] : [`${way} -p udp ${refusal}`]),
    `${way} -j ACCEPT`,
  ];
}

/** Everything from outside, and between the LANs. */
function inbound({ wan, lan }: ResolvedRouter): string[] {
  const between = lan.flatMap((from) => lan.filter((to) => to !== from).map((to) => [from, to] as const));
  return [
    ...wan.flatMap((outside) => lan.map((name) => `-A FORWARD -i ${outside} -o ${name} -j ACCEPT`)),
    ...between.map(([from, to]) => `-A FORWARD -i ${from} -o ${to} -j ACCEPT`),
  ];
}

function exchangesPrefixes({ prefixes }: ResolvedRouter, family: Family): boolean {
  return prefixes.some(({ inside }) => familyOfText(inside) === family);
}

/** RFC 6296 section 4: hosts of one LAN reach each other by their outside addresses. */
function turnedRound(lan: string): string {
  return `-A FORWARD -i ${lan} -o ${lan} -m conntrack --ctstate DNAT -j ACCEPT`;
}

/** Everything to and from the NAT64: what it may do is decided for the IPv4 packets that it makes. */
function throughNat64(lan: string): string[] {
  return [
    `-A FORWARD -i ${lan} -o ${NAT64_INTERFACE} -j ACCEPT`,
    `-A FORWARD -i ${NAT64_INTERFACE} -o ${lan} -j ACCEPT`,
  ];
}

/** Protocol number of the Mobility Header (RFC 6275 section 6.1). */
const MOBILITY_HEADER = 135;

function pinhole(wan: string, { protocol, from, to, port }: ResolvedFirewall["pinholes"][number]): string {
  return [
    `-A FORWARD -i ${wan}`,
    ...(from === undefined ? [] : [`-s ${from}`]),
    `-d ${to}`,
    protocol === "udp" ? "-p udp -m udp" : `-p ${MOBILITY_HEADER}`,
    ...(port === undefined ? [] : [`--dport ${port}`]),
    "-j ACCEPT",
  ].join(" ");
}
