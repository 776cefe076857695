/** Kernel parameters by role; a container accepts them only at creation. */

import type { ResolvedNode, TcpNat } from "../topology/model/resolved.ts";
import type { Sysctls } from "./plan.ts";

/** Common to all nodes: both IP versions on, no forwarding, no addresses or routes from router advertisements. */
const COMMON: Sysctls = {
  "net.ipv4.ip_forward": "0",
  "net.ipv4.conf.all.rp_filter": "0",
  "net.ipv4.conf.default.rp_filter": "0",
  "net.ipv6.conf.all.disable_ipv6": "0",
  "net.ipv6.conf.default.disable_ipv6": "0",
  "net.ipv6.conf.all.forwarding": "0",
  "net.ipv6.conf.default.accept_ra": "0",
};

/** Forwards between the TUN device and the segments. */
const FORWARDING: Sysctls = { ...COMMON, "net.ipv6.conf.all.forwarding": "1" };

/**
 * Exempts refusals from the ICMP rate limits, per host and global. By default, after the first six, the kernel sends a
 * host one a second, and probes use these up.
 */
const OUTSPOKEN: Sysctls = { "net.ipv4.icmp_ratemask": "6160", "net.ipv6.icmp.ratemask": "0,3-127" };

/** Connection tracking's states of TCP in which a connection is open; unacknowledged data must not shorten its life. */
const ESTABLISHED = ["established", "unacknowledged", "max_retrans"] as const;

/** Those in which it is opening or closing (RFC 5382 REQ-5, RFC 7857 section 2). */
const TRANSITORY = ["syn_sent", "syn_recv", "fin_wait", "close_wait", "last_ack", "time_wait", "close"] as const;

function tcpTimeouts({ establishedSec, transitorySec }: TcpNat): Sysctls {
  const inState = (state: string, seconds: number) =>
    [`net.netfilter.nf_conntrack_tcp_timeout_${state}`, String(seconds)] as const;
  return Object.fromEntries([
    ...ESTABLISHED.map((state) => inState(state, establishedSec)),
    ...TRANSITORY.map((state) => inState(state, transitorySec)),
  ]);
}

export function sysctlsOf(node: ResolvedNode): Sysctls {
  switch (node.role) {
    case "router":
      return {
        ...COMMON,
        "net.ipv4.ip_forward": "1",
        "net.ipv6.conf.all.forwarding": "1",
        // The kernel has two lifetimes for UDP, before and after the first answer; a topology declares one.
        "net.netfilter.nf_conntrack_udp_timeout": String(node.firewall.udpIdleSec),
        "net.netfilter.nf_conntrack_udp_timeout_stream": String(node.firewall.udpIdleSec),
        ...(node.tcp === undefined ? {} : tcpTimeouts(node.tcp)),
        ...(node.firewall.denied === "reject" || node.tcp?.unsolicitedSyn === "icmp" ? OUTSPOKEN : {}),
      };
    case "home-agent":
      return FORWARDING;
    case "stationary-node":
      return node.speaks === "ipv6" ? COMMON : FORWARDING;
    case "host":
      return { ...COMMON, ...node.sysctls };
    case "mobile-node":
    case "correspondent-node":
    case "stun-server":
    case "dns":
      return COMMON;
  }
}
