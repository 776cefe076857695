/** Kernel parameters by role; a container accepts them only at creation. */

import type { ResolvedNode } from "../topology/model/resolved.ts";
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
        ...(node.firewall.denied === "reject" ? OUTSPOKEN : {}),
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
