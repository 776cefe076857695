/** Enumerated values of topology files and everything made from them. Those of the protocol come from the agent. */

import { DATA_PATHS, MOBILITY_PROTOCOLS, SOCKET_PROTOCOLS } from "@testbed/agent/control";

/** How a session's data goes: directly, through both home agents, or not at all. */
export const PATH_NAMES = [...DATA_PATHS, "none"] as const;

/** What an event of the timeline may wait for: the path of a session's data, a pair nominated by both ends, or failure. */
export const TRIGGER_STATES = [...DATA_PATHS, "nominated", "failed"] as const;

/** What runs on a session: UDP echo, ICMP echo, or nothing. */
export const TRAFFIC_KINDS = ["echo", "ping", "none"] as const;

/** What a stationary node implements of Mobile IPv6; `ipv6`: nothing. */
export const STATIONARY_PROTOCOLS = [...MOBILITY_PROTOCOLS, "ipv6"] as const;

/** `stateful` admits only packets of flows from inside; `open` admits everything. */
export const INBOUND_POLICIES = ["stateful", "open"] as const;

/** All UDP or none; the third policy is a list of ports. */
export const OUTBOUND_UDP_POLICIES = ["all", "none"] as const;

/** `drop` discards silently, `reject` answers by ICMP (RFC 1812 section 5.2.7.1, RFC 4443 section 3.1). */
export const DENIALS = ["drop", "reject"] as const;

/** UDP, or the Mobility Header (protocol 135, IPv6 only). */
export const PINHOLE_PROTOCOLS = ["udp", "mh"] as const;

/** What a link does with a packet that is larger than its MTU: drops it silently, or does as a router, with ICMP. */
export const TOO_BIG_ANSWERS = ["drop", "icmp"] as const;

/** What a NAT answers to a SYN from outside that it lets in to nobody (RFC 5382 REQ-4): nothing, ICMP, or RST. */
export const UNSOLICITED_SYN_ANSWERS = [...TOO_BIG_ANSWERS, "reset"] as const;

/** How the data of a flow between hosts goes; `relayed`: both exchange it with the same third node. */
export const FLOW_PATHS = ["direct", "relayed", "none"] as const;

export const FORWARD_PROTOCOLS = SOCKET_PROTOCOLS;

/** Keys of expectations that are times with an upper limit. */
export const TIME_KEYS = ["within", "outage", "roundTrip"] as const;

/** How inside hosts may ask a NAT for an outside port: RFC 6887, RFC 6886, UPnP IGD. */
export const PORT_MAPPING_PROTOCOLS = ["pcp", "nat-pmp", "upnp"] as const;

/** What a host's program may ask for, capabilities(7) without `CAP_`: nothing in them reaches outside of the lab. */
export const HOST_CAPABILITIES = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "KILL",
  "NET_ADMIN",
  "NET_BIND_SERVICE",
  "NET_RAW",
  "SETGID",
  "SETUID",
] as const;

export type HostCapability = (typeof HOST_CAPABILITIES)[number];

/** Devices of the machine that a host's program may ask for. */
export const HOST_DEVICES = ["/dev/net/tun"] as const;

export type HostDevice = (typeof HOST_DEVICES)[number];

/** Signals by which a host's program may be asked to end, signal(7). */
export const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGKILL"] as const;

export type StopSignal = (typeof STOP_SIGNALS)[number];
