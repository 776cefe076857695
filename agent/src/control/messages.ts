/**
 * The control channel between the orchestrator and a node: one JSON object per line, commands on stdin, reports on
 * stdout. The first command is always `setup`; a node started by hand reads the same value from the environment
 * variable `MICE_NODE_SETUP`.
 */

import type { SocketAddress } from "../core/address.ts";
import type { NodeEvent } from "../core/events.ts";
import type { Impairment } from "../core/link/impairment.ts";
import type { LifetimeObservation } from "../core/nat-probe/lifetime-probe.ts";
import type { NatObservation } from "../core/nat-probe/nat-observation.ts";
import type { AgentOptions } from "../core/node/agent-settings.ts";

export type { LifetimeObservation } from "../core/nat-probe/lifetime-probe.ts";
export type { NatObservation } from "../core/nat-probe/nat-observation.ts";

/** Version of this protocol; both sides reject any other. */
export const CONTROL_VERSION = 1;

/** Name of the environment variable that carries a `NodeSetup` as JSON when no orchestrator is attached. */
export const SETUP_VARIABLE = "MICE_NODE_SETUP";

/** Time between two `alive` reports. */
export const HEARTBEAT_MS = 1000;

/** When a node starts its protocol. */
export const STARTS_ON = ["ready", "command"] as const;

/** The whole configuration of a node. */
export interface NodeSetup {
  readonly version: typeof CONTROL_VERSION;
  /** Name in the topology. */
  readonly node: string;
  readonly interfaces: readonly InterfaceSetup[];
  readonly routes: readonly RouteSetup[];
  readonly rules: readonly RuleText[];
  /** Entries of /etc/hosts: every node of the lab by name. */
  readonly hosts: readonly { readonly address: string; readonly name: string }[];
  /** Addresses of name servers, best first; absent where the node has none. */
  readonly nameServers?: readonly string[];
  /** Programs of other projects that run in the node; it is ready when they serve. Absent for none. */
  readonly daemons?: readonly DaemonSetup[];
  /** Whether to capture every interface and stream the frames to the orchestrator. */
  readonly capture: boolean;
  readonly role: RoleSetup;
  /**
   * When the node starts its protocol, such as its home registration: as soon as it is ready (the default), or on the
   * command `start`, which follows when its peers are ready as well.
   */
  readonly startsOn?: (typeof STARTS_ON)[number];
  /** What the node does once ready when started without an orchestrator (Compose by hand). */
  readonly autostart?: { readonly connect: readonly string[] };
}

/**
 * A network interface to take over: find it, remove the engine's configuration, and configure it as in the topology.
 */
export interface InterfaceSetup {
  readonly segment: string;
  /** New name of the interface, at most 15 octets. */
  readonly interfaceName: string;
  /** How to identify the interface: by the engine's throwaway address, or by its present name. */
  readonly find: { readonly by: "address"; readonly address: string } | { readonly by: "name"; readonly name: string };
  readonly mac: string;
  /** Addresses with prefix length, such as `192.168.1.2/24`. */
  readonly addresses: readonly string[];
  /** Impairments of frames between the node and the segment; none when absent. */
  readonly impairment?: InterfaceImpairments;
  /** How the node reaches IPv4 from this segment, which has IPv6 alone; absent where it does so natively or not. */
  readonly nat64?: Nat64Access;
  /** Octets of the largest IP packet that the segment carries; what the interface has when absent. */
  readonly mtuOctets?: number;
  /** The node is not on this segment until it moves there: the interface is up, without addresses. */
  readonly isStandby?: boolean;
  /**
   * Every node that is ever on the segment, where the machine is on it too, as on an engine's networks: frames from and
   * to all others are dropped. Absent where the segment has nobody else.
   */
  readonly neighbours?: SegmentNeighbours;
}

/**
 * IPv4 through a NAT64, as a host knows it after a router advertisement (RFC 8781): sockets of the IPv4 address are
 * sockets of an IPv6 address, and the addresses of their peers are synthesised.
 */
export interface Nat64Access {
  /** The prefix of synthesised addresses (RFC 6052). */
  readonly prefix: string;
  /** The IPv4 address with prefix length, such as `100.127.0.2/24`: for the node alone, no packet of it carries it. */
  readonly ipv4: string;
  /** The IPv6 address that it is translated to, one of the interface's. */
  readonly ipv6: string;
}

/** The nodes of a segment. */
export interface SegmentNeighbours {
  readonly macs: readonly string[];
  /** With prefix length. */
  readonly addresses: readonly string[];
}

/** A program that serves from the node's namespaces until the node ends. Its output goes to the node's log. */
export interface DaemonSetup {
  /** Its name in logs and errors. */
  readonly name: string;
  /** The program, in its directories or by path, and its arguments. It stays in the foreground. */
  readonly command: readonly string[];
  /** What the program reads at /dev/stdin, once: its configuration. */
  readonly configuration: string;
  /** A part of the line of its output after which it serves. */
  readonly readyOutput: string;
}

/** Directions as seen from the node: `out` frames leave it, `in` frames arrive. */
export const LINK_DIRECTIONS = ["out", "in"] as const;

export type LinkDirection = (typeof LINK_DIRECTIONS)[number];

/** Impairments of an interface's link by direction; an absent direction is not impaired. */
export interface InterfaceImpairments {
  readonly out?: Impairment;
  readonly in?: Impairment;
  /** Random seed: at least four octets in hex. */
  readonly seed: string;
}

/** What applies impairments: the kernel's netem, or the node's process where netem is unavailable. */
export const IMPAIRERS = ["netem", "user-space"] as const;

export type Impairer = (typeof IMPAIRERS)[number];

/** One impaired direction of an interface's link. */
export interface ImpairedLink {
  readonly segment: string;
  readonly direction: LinkDirection;
  readonly applied: Impairer;
}

/** Its frame counters: `delivered`, `lost`, and others that depend on the method. */
export interface LinkFigures extends ImpairedLink {
  readonly counters: Readonly<Record<string, number>>;
}

/** One static route. `to` is a prefix in CIDR form; 0.0.0.0/0 and ::/0 are the default routes. */
export interface RouteSetup {
  readonly to: string;
  /**
   * The next hop. Without one the network is on the segment; a default route without one leads to the edge of the
   * segment, where packets are sent and swallowed.
   */
  readonly via?: string;
  readonly interfaceName: string;
  /** It holds only for IPv4 packets that rules gave this mark, from 1 on; for all when absent. */
  readonly mark?: number;
}

/** The kernel's rule loaders. */
export const RULE_TOOLS = ["iptables", "ip6tables", "nft"] as const;

/** A text for one of the rule loaders, exactly as loaded and as kept in the results. */
export interface RuleText {
  readonly tool: (typeof RULE_TOOLS)[number];
  readonly text: string;
}

/** The role of a node. */
export type RoleSetup =
  | { readonly type: "router"; readonly nat64?: Nat64Role }
  | { readonly type: "host" }
  /** A name server, which is one of its daemons. */
  | { readonly type: "dns" }
  | StunServerRole
  | HomeAgentRole
  | MobileNodeRole
  | StationaryNodeRole;

/** The interface of a NAT64 on its router, as its rules name it; no segment has an interface of such a name. */
export const NAT64_INTERFACE = "tun64";

/** The stateless half of a router's NAT64; the other one is its IPv4 NAT. */
export interface Nat64Role {
  /** The IPv6 prefix of synthesised addresses (RFC 6052), such as `64:ff9b::/96`. */
  readonly prefix: string;
  /** The IPv6-only networks inside, and the IPv4 network by whose addresses the NAT64 knows the hosts of each. */
  readonly networks: readonly { readonly ipv6: string; readonly pool: string }[];
}

/** A STUN server with NAT behaviour discovery (RFC 5780): UDP 3478 and 3479 on both addresses of an IP version. */
export interface StunServerRole {
  readonly type: "stun-server";
  readonly listen: readonly string[];
  /** The second address of each IP version. */
  readonly alternate: readonly string[];
}

/** A home agent with its STUN server. */
export interface HomeAgentRole {
  readonly type: "home-agent";
  readonly address: string;
  readonly homePrefix: string;
  /** Local addresses on which UDP 4191 and 3478 are opened. */
  readonly listen: readonly string[];
  /**
   * Second local addresses, one of each IP version: with one, UDP 3478 and 3479 are opened on both, and the STUN server
   * supports NAT behaviour discovery (RFC 5780). Absent or empty for a plain STUN server.
   */
  readonly alternate?: readonly string[];
  /** Shared keys of the mobile nodes it serves, hex by home address. */
  readonly registrationKeys: Readonly<Record<string, string>>;
  readonly tunMtu: number;
  /** Random seed of the node: 32 octets in hex. */
  readonly seed: string;
}

/** Roles of nodes with a home agent; they differ only in which starts. */
export const MOBILE_ROLES = ["mobile-node", "correspondent-node"] as const;

/** A mobile or correspondent node. */
export interface MobileNodeRole extends AgentOptions {
  readonly type: (typeof MOBILE_ROLES)[number];
  readonly homeAddress: string;
  readonly homeAgent: {
    readonly address: string;
    /** The home agent's addresses on the access networks, best first. */
    readonly listen: readonly string[];
  };
  /** Addresses of the peers that this node expects sessions with; none when absent. */
  readonly peers?: readonly string[];
  /** Local addresses to open the candidate socket on, best first. */
  readonly localAddresses: readonly string[];
  /** UDP port of the candidate sockets. */
  readonly port: number;
  /** Hex; absent when the home agent accepts unauthenticated registrations. */
  readonly registrationKey?: string;
  readonly tunMtu: number;
  readonly seed: string;
}

/** The protocols that a stationary node may support. */
export const MOBILITY_PROTOCOLS = ["m-ice", "mobile-ipv6"] as const;

/** A correspondent node without a home agent, which peers reach at its own address. */
export interface StationaryNodeRole extends AgentOptions {
  readonly type: "stationary-node";
  /** Its IPv6 address, one of `localAddresses`. */
  readonly address: string;
  /** `mobile-ipv6`: supports RFC 6275 but not M-ICE. `m-ice` when absent. */
  readonly speaks?: (typeof MOBILITY_PROTOCOLS)[number];
  /** Prefixes of mobile nodes' home addresses: packets to them go through the TUN device. */
  readonly homePrefixes: readonly string[];
  /** Addresses of its STUN servers, best first; may be empty for a node with a public address. */
  readonly stunServers: readonly string[];
  /** Local addresses to open the candidate socket on, best first. */
  readonly localAddresses: readonly string[];
  /** UDP port of the candidate sockets. */
  readonly port: number;
  readonly tunMtu: number;
  readonly seed: string;
}

/** A segment that a node is on, and its addresses there. */
export interface SegmentPlace {
  readonly segment: string;
  readonly addresses: readonly string[];
}

/** A marked datagram to send, and its destination. */
export interface MarkToSend {
  readonly to: SocketAddress;
  readonly mark: string;
}

/** A marked datagram that arrived, and its local port. */
export interface HeardDatagram {
  readonly mark: string;
  readonly port: number;
}

/** Protocols of ports: of programs that serve, and of marks, which are datagrams or SYN segments with data. */
export const SOCKET_PROTOCOLS = ["udp", "tcp"] as const;

export type SocketProtocol = (typeof SOCKET_PROTOCOLS)[number];

/** Common fields of probes. Transaction ids are derived from `seed`, octets in hex. */
interface ProbeFields {
  readonly id: number;
  /** Local address of the probe's sockets. */
  readonly local: string;
  /** How long to wait before a missing answer counts as none. */
  readonly waitMs: number;
  readonly seed: string;
}

/**
 * A command to a node. A command with an `id` is answered by exactly one report with that `id`, after any `flow`
 * reports.
 */
export type AgentCommand =
  | { readonly type: "setup"; readonly setup: NodeSetup }
  /** For a node whose set-up has `startsOn: "command"`. */
  | { readonly type: "start" }
  | { readonly type: "connect"; readonly peer: string }
  | {
      readonly type: "ping";
      readonly id: number;
      readonly to: string;
      readonly count: number;
      readonly intervalMs: number;
      readonly timeoutMs: number;
    }
  | {
      readonly type: "echo";
      readonly id: number;
      readonly to: string;
      readonly count: number;
      readonly intervalMs: number;
      readonly sizeBytes: number;
      readonly timeoutMs: number;
    }
  /** Probes the NATs and firewalls on the path to an RFC 5780 server; answered by `probed`. */
  | (ProbeFields & {
      readonly type: "probe";
      /** Local ports of the five sockets, none of them used before. */
      readonly ports: readonly number[];
      /** The server's first address and port, and its second address and second port. */
      readonly server: { readonly first: SocketAddress; readonly second: SocketAddress };
    })
  /** Measures how long idle mappings on the path last; answered by `lifetime-probed`. */
  | (ProbeFields & {
      readonly type: "probe-lifetime";
      readonly server: SocketAddress;
      /** Idle times to test, one mapping each. */
      readonly silencesMs: readonly number[];
      /** Idle time of two more mappings before and after a packet that may refresh them, one in each direction. */
      readonly refreshSilenceMs: number;
    })
  /**
   * Reports which marked datagrams reach a local address, on any port; answered by `heard` when the awaited one has
   * arrived, or after `waitMs`. A mark is a datagram's whole payload, octets in hex.
   */
  | {
      readonly type: "sniff";
      readonly id: number;
      readonly protocol: SocketProtocol;
      readonly local: string;
      readonly marks: readonly string[];
      readonly awaited: string;
      readonly waitMs: number;
    }
  /**
   * Waits until a program listens on a TCP port of the node, or has bound a UDP port; answered by `socket-awaited` then,
   * or after `waitMs`.
   */
  | {
      readonly type: "await-socket";
      readonly id: number;
      readonly protocol: SocketProtocol;
      readonly port: number;
      readonly waitMs: number;
    }
  /** Sends marked datagrams once, in this order, from one port; answered by `done`. SYN segments are of IPv4. */
  | {
      readonly type: "send-marks";
      readonly id: number;
      readonly protocol: SocketProtocol;
      readonly local: string;
      readonly marks: readonly MarkToSend[];
    }
  /**
   * Sends numbered echo requests at a steady pace until `stop-flow`: `flow` reports the outcome of each, and
   * `flow-ended` follows the last one.
   */
  | {
      readonly type: "start-flow";
      readonly id: number;
      readonly to: string;
      readonly intervalMs: number;
      readonly sizeBytes: number;
      /** After this time an unanswered request counts as lost. */
      readonly timeoutMs: number;
    }
  /** `flow` is the `id` of the command that started it. */
  | { readonly type: "stop-flow"; readonly flow: number }
  /**
   * A router loses its mappings and flows and forwards nothing meanwhile, and for `downMs` longer if present. The texts
   * replace the tables that they define; answered by `done` when the router forwards again.
   */
  | {
      readonly type: "reboot";
      readonly id: number;
      readonly rules: readonly RuleText[];
      readonly downMs: number;
    }
  /**
   * A mobile node or host moves from its present segments to others, whose interfaces may be on standby, with these
   * addresses and routes; nothing happens to a segment that it stays on. Answered by `done` when the protocol has been
   * notified.
   */
  | {
      readonly type: "move";
      readonly id: number;
      /** The segments that it is on afterwards, with its addresses there, which have their prefix length. */
      readonly to: readonly SegmentPlace[];
      readonly routes: readonly RouteSetup[];
      /** Local addresses to open the candidate sockets on, best first. */
      readonly localAddresses: readonly string[];
    }
  /** A mobile node removes all its bindings and is unreachable until it moves; answered by `done`. */
  | { readonly type: "deregister"; readonly id: number }
  /**
   * A node ends its protocol as if it were killed: its sockets are closed, it tells nobody, and what it knew is gone.
   * Answered by `done`; `restart` starts it again.
   */
  | { readonly type: "kill"; readonly id: number }
  /**
   * A node starts its protocol anew, without what it knew, after neither sending nor receiving for `downMs`; answered by
   * `done` when it is started.
   */
  | { readonly type: "restart"; readonly id: number; readonly downMs: number }
  /**
   * A node gets other addresses, with prefix length, on one of its segments, and keeps the old ones for `overlapMs`.
   * The texts replace the tables that they define, and flows are deleted where there are any. Answered by `done` when
   * the old addresses are gone.
   */
  | {
      readonly type: "readdress";
      readonly id: number;
      readonly segment: string;
      readonly addresses: readonly string[];
      readonly overlapMs: number;
      readonly rules: readonly RuleText[];
      /** Local addresses of a mobile node afterwards, best first. */
      readonly localAddresses: readonly string[];
    }
  /** A router replaces the tables that the texts define, and deletes all flows; answered by `done`. */
  | { readonly type: "change-rules"; readonly id: number; readonly rules: readonly RuleText[] }
  /** Replaces the impairments of a link that has some in the set-up; answered by `done` when they are in force. */
  | {
      readonly type: "impair-link";
      readonly id: number;
      readonly segment: string;
      readonly out: Impairment;
      readonly in: Impairment;
    }
  | { readonly type: "keep" }
  /** Ends captures and protocol with the last report; the node keeps its interfaces and waits for `reuse`. */
  | { readonly type: "reset" }
  /**
   * For a node after `reset`: deletes all flows, loads these rules, and starts again with the rest of its set-up. It
   * reports `hello` and `ready` again.
   */
  | { readonly type: "reuse"; readonly rules: readonly RuleText[] }
  | { readonly type: "finish" };

/** Monotonic and real time of a node, read together, in ms with a fraction: relates captures to events. */
export interface ClockReading {
  readonly monotonicMs: number;
  readonly realMs: number;
}

/** A report from a node. */
export type AgentReport =
  | {
      readonly type: "hello";
      readonly version: number;
      readonly pid: number;
      readonly nodeVersion: string;
      readonly clock: ClockReading;
    }
  /** The node is set up. `phasesMs`: durations of the steps since the set-up arrived. */
  | {
      readonly type: "ready";
      readonly phasesMs?: Readonly<Record<string, number>>;
      /** Absent where no link is impaired, here and in `bye`. */
      readonly links?: readonly ImpairedLink[];
    }
  /** Once every `HEARTBEAT_MS` from `hello` to the end: a node that is silent for longer is stopped, or cut off. */
  | { readonly type: "alive" }
  | { readonly type: "event"; readonly atMs: number; readonly event: NodeEvent }
  | { readonly type: "reply"; readonly id: number; readonly result: TrafficResult }
  | { readonly type: "probed"; readonly id: number; readonly observation: NatObservation }
  | { readonly type: "lifetime-probed"; readonly id: number; readonly observation: LifetimeObservation }
  | { readonly type: "heard"; readonly id: number; readonly datagrams: readonly HeardDatagram[] }
  | { readonly type: "socket-awaited"; readonly id: number; readonly isThere: boolean }
  /** Outcomes of some requests of a flow, in no particular order. */
  | { readonly type: "flow"; readonly id: number; readonly packets: readonly FlowPacket[] }
  | { readonly type: "flow-ended"; readonly id: number }
  /** A change was made; `atMs` is when it began to take effect. */
  | { readonly type: "done"; readonly id: number; readonly atMs: number }
  /** The next part of the pcap file of one segment, base64; all parts in order are one file. */
  | { readonly type: "capture"; readonly segment: string; readonly data: string }
  | {
      readonly type: "capture-done";
      readonly segment: string;
      readonly captured: number;
      readonly droppedByKernel: number;
    }
  /** The node cannot continue and exits; the message gives the reason. */
  | { readonly type: "fatal"; readonly code: string; readonly message: string }
  /** The last report of an orderly end. */
  | {
      readonly type: "bye";
      readonly clock: ClockReading;
      readonly counters: Readonly<Record<string, number>>;
      readonly links?: readonly LinkFigures[];
    };

/** Result of `ping` and `echo`. Round-trip times in the order of sending; `null` if unanswered. */
export interface TrafficResult {
  readonly sent: number;
  readonly received: number;
  readonly duplicates: number;
  readonly rttMs: readonly (number | null)[];
}

/** One request of a flow: when it was sent, and its round-trip time; `null` if unanswered. */
export interface FlowPacket {
  readonly sentAtMs: number;
  readonly rttMs: number | null;
}
