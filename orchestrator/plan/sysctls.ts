/** Kernel parameters of each kind of node; a container takes them only when it is made. */

import type { ResolvedNode } from "../topology/model/resolved.ts";
import type { Sysctls } from "./plan.ts";

/** What every node starts from: both IP versions on, nothing forwarded, no address or route from anybody else. */
const COMMON: Sysctls = {
  "net.ipv4.ip_forward": "0",
  "net.ipv4.conf.all.rp_filter": "0",
  "net.ipv4.conf.default.rp_filter": "0",
  "net.ipv6.conf.all.disable_ipv6": "0",
  "net.ipv6.conf.default.disable_ipv6": "0",
  "net.ipv6.conf.all.forwarding": "0",
  "net.ipv6.conf.default.accept_ra": "0",
};

/** Packets go from the TUN device to the segments and back. */
const FORWARDING: Sysctls = { ...COMMON, "net.ipv6.conf.all.forwarding": "1" };

/**
 * Each refusal is told: its type is none of those with limits, for one host and for all together. After the first six,
 * the kernel would tell one host of one in a second, and probes use these up.
 */
const OUTSPOKEN: Sysctls = { "net.ipv4.icmp_ratemask": "6160", "net.ipv6.icmp.ratemask": "0,3-127" };

/** Parameters of a node. */
export function sysctlsOf(node: ResolvedNode): Sysctls {
  switch (node.role) {
    case "router":
      return {
        ...COMMON,
        "net.ipv4.ip_forward": "1",
        "net.ipv6.conf.all.forwarding": "1",
        // The kernel has two lifetimes for UDP, before and after the first answer; a middlebox has one.
        "net.netfilter.nf_conntrack_udp_timeout": String(node.firewall.udpIdleSec),
        "net.netfilter.nf_conntrack_udp_timeout_stream": String(node.firewall.udpIdleSec),
        ...(node.firewall.denied === "reject" ? OUTSPOKEN : {}),
      };
    case "home-agent":
      return FORWARDING;
    case "stationary-node":
      return node.speaks === "ipv6" ? COMMON : FORWARDING;
    case "mobile-node":
    case "correspondent-node":
    case "host":
    case "stun-server":
      return COMMON;
  }
}
