/**
 * The control channel between the orchestrator and a node: one JSON object a line, commands in on stdin, reports out on
 * stdout. The first command is always `setup`; a node by hand takes the same value from the environment variable
 * `MICE_NODE_SETUP`.
 */

import type { SocketAddress } from "../core/address.ts";
import type { NodeEvent } from "../core/events.ts";
import type { Impairment } from "../core/link/impairment.ts";
import type { LifetimeObservation } from "../core/nat-probe/lifetime-probe.ts";
import type { NatObservation } from "../core/nat-probe/nat-observation.ts";
import type { AgentOptions } from "../core/node/agent-settings.ts";

export type { LifetimeObservation } from "../core/nat-probe/lifetime-probe.ts";
export type { NatObservation } from "../core/nat-probe/nat-observation.ts";

/** Version of this protocol; both sides refuse any other. */
export const CONTROL_VERSION = 1;

/** Name of the environment variable that carries a `NodeSetup` as JSON when no orchestrator is attached. */
export const SETUP_VARIABLE = "MICE_NODE_SETUP";

/** When a node begins its protocol work. */
export const STARTS_ON = ["ready", "command"] as const;

/** Everything a node must know to become its place in the topology. */
export interface NodeSetup {
  readonly version: typeof CONTROL_VERSION;
  /** Name in the topology. */
  readonly node: string;
  readonly interfaces: readonly InterfaceSetup[];
  readonly routes: readonly RouteSetup[];
  readonly rules: readonly RuleText[];
  /** Lines for /etc/hosts: every node of the lab by name. */
  readonly hosts: readonly { readonly address: string; readonly name: string }[];
  /** Whether to capture every segment and stream the frames to the orchestrator. */
  readonly capture: boolean;
  readonly role: RoleSetup;
  /**
   * When the node begins its protocol work, such as its home registration: as soon as it is ready (the default), or when
   * the command `start` says that those it will talk to are ready as well.
   */
  readonly startsOn?: (typeof STARTS_ON)[number];
  /** What the node does by itself once ready, when no orchestrator is there to tell it (Compose by hand). */
  readonly autostart?: { readonly connect: readonly string[] };
}

/** One network interface to adopt: find it, strip what the engine gave it, give it its place in the topology. */
export interface InterfaceSetup {
  readonly segment: string;
  /** Name the interface gets, at most 15 octets. */
  readonly interfaceName: string;
  /** How the node recognises the interface: by the throwaway address of the engine, or by its name already. */
  readonly find: { readonly by: "address"; readonly address: string } | { readonly by: "name"; readonly name: string };
  readonly mac: string;
  /** Addresses with prefix length, such as `192.168.1.2/24`. */
  readonly addresses: readonly string[];
  /** What happens to frames between the node and the segment; nothing when absent. */
  readonly impairment?: InterfaceImpairments;
  /** The node is not on this segment until it moves there: the interface is up and says nothing. */
  readonly isStandby?: boolean;
}

/** Which way frames go, seen from the node: `out` leave it, `in` arrive at it. */
export const LINK_DIRECTIONS = ["out", "in"] as const;

export type LinkDirection = (typeof LINK_DIRECTIONS)[number];

/** Conditions of a segment's end by direction; one that is absent is left alone. */
export interface InterfaceImpairments {
  readonly out?: Impairment;
  readonly in?: Impairment;
  /** Seed of the draws: at least four octets in hex. */
  readonly seed: string;
}

/** What makes a condition: the kernel's netem, or the node's own process where the kernel has none. */
export const LINK_CONDITIONERS = ["netem", "user-space"] as const;

export type Impairer = (typeof LINK_CONDITIONERS)[number];

/** One direction of a segment's end that has a condition. */
export interface ImpairedLink {
  readonly segment: string;
  readonly direction: LinkDirection;
  readonly applied: Impairer;
}

/** What became of its frames: `delivered` and `lost`, and what else is told apart. */
export interface LinkFigures extends ImpairedLink {
  readonly counters: Readonly<Record<string, number>>;
}

/** One static route. `to` is a prefix in CIDR form; 0.0.0.0/0 and ::/0 are the default routes. */
export interface RouteSetup {
  readonly to: string;
  readonly via?: string;
  readonly interfaceName: string;
}

/** The kernel's rule loaders. */
export const RULE_TOOLS = ["iptables", "ip6tables", "nft"] as const;

/** A text for one of the kernel's rule loaders, exactly as loaded and as kept in the results. */
export interface RuleText {
  readonly tool: (typeof RULE_TOOLS)[number];
  readonly text: string;
}

/** What the node is. */
export type RoleSetup =
  | { readonly type: "router" }
  | { readonly type: "host" }
  | StunServerRole
  | HomeAgentRole
  | MobileNodeRole
  | StationaryNodeRole;

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
   * does NAT behaviour discovery (RFC 5780). Absent or empty for a plain STUN server.
   */
  readonly alternate?: readonly string[];
  /** Shared keys of the mobile nodes it serves, hex by home address. */
  readonly registrationKeys: Readonly<Record<string, string>>;
  readonly tunMtu: number;
  /** Seed of the node's randomness: 32 octets hex. */
  readonly seed: string;
}

/** Roles of nodes with a home agent; they differ only in who starts. */
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
  /** Local addresses to open the candidate socket on, best first. */
  readonly localAddresses: readonly string[];
  /** UDP port of the candidate sockets. */
  readonly port: number;
  /** Hex; absent when the home agent takes unauthenticated registrations. */
  readonly registrationKey?: string;
  readonly tunMtu: number;
  readonly seed: string;
}

/** What a stationary node knows of Mobile IPv6. */
export const MOBILITY_PROTOCOLS = ["m-ice", "mobile-ipv6"] as const;

/** A correspondent without home agent, known to mobile nodes by its own address. */
export interface StationaryNodeRole extends AgentOptions {
  readonly type: "stationary-node";
  /** Its own IPv6 address, one of `localAddresses`. */
  readonly address: string;
  /** `mobile-ipv6` is a peer that knows RFC 6275 and no M-ICE; `m-ice` when absent. */
  readonly speaks?: (typeof MOBILITY_PROTOCOLS)[number];
  /** Where home addresses of mobile nodes are: what is sent there goes through the TUN device. */
  readonly homePrefixes: readonly string[];
  /** Addresses of the STUN servers that it asks, best first; may be empty for a node in the open. */
  readonly stunServers: readonly string[];
  /** Local addresses to open the candidate socket on, best first. */
  readonly localAddresses: readonly string[];
  /** UDP port of the candidate sockets. */
  readonly port: number;
  readonly tunMtu: number;
  readonly seed: string;
}

/** A marked datagram, and where it goes. */
export interface MarkToSend {
  readonly to: SocketAddress;
  readonly mark: string;
}

/** A marked datagram that came, and the local port that it came to. */
export interface HeardDatagram {
  readonly mark: string;
  readonly port: number;
}

/** Where a probe comes from and whom it asks. Transaction ids follow from `seed`, octets in hex. */
interface ProbeFields {
  readonly id: number;
  /** Local address of the probe's sockets. */
  readonly local: string;
  /** How long silence must last to count as an answer. */
  readonly waitMs: number;
  readonly seed: string;
}

/**
 * What the orchestrator tells a node. Commands with an `id` are answered by exactly one report with that `id`, whatever
 * `flow` reports come before it.
 */
export type AgentCommand =
  | { readonly type: "setup"; readonly setup: NodeSetup }
  /** For a node whose set-up says `startsOn: "command"`. */
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
  /** Asks an RFC 5780 server what the middleboxes on the way do; answered by `probed`. */
  | (ProbeFields & {
      readonly type: "probe";
      /** Local ports of the five sockets, none of them used before. */
      readonly ports: readonly number[];
      /** The server's first address and port, and its second address and second port. */
      readonly server: { readonly first: SocketAddress; readonly second: SocketAddress };
    })
  /** Measures how long the middleboxes on the way remember idle mappings; answered by `lifetime-probed`. */
  | (ProbeFields & {
      readonly type: "probe-lifetime";
      readonly server: SocketAddress;
      /** How long mappings are left alone, one mapping each. */
      readonly silencesMs: readonly number[];
      /** How long two more are left alone before and after a packet that may refresh them, one each way. */
      readonly refreshSilenceMs: number;
    })
  /**
   * Hears which marked datagrams reach a local address, whoever has opened their ports; answered by `heard` when the
   * awaited one has come, or after `waitMs`. A mark is a datagram's whole payload, octets in hex.
   */
  | {
      readonly type: "sniff";
      readonly id: number;
      readonly local: string;
      readonly marks: readonly string[];
      readonly awaited: string;
      readonly waitMs: number;
    }
  /** Sends marked datagrams once, in this order, from a port of the kernel's choice; answered by `done`. */
  | { readonly type: "send-marks"; readonly id: number; readonly local: string; readonly marks: readonly MarkToSend[] }
  /**
   * Sends numbered echo requests at a steady pace until `stop-flow`: `flow` tells of each what became of it, and
   * `flow-ended` answers once all are told of.
   */
  | {
      readonly type: "start-flow";
      readonly id: number;
      readonly to: string;
      readonly intervalMs: number;
      readonly sizeBytes: number;
      /** How long a request may stay unanswered before it is lost. */
      readonly timeoutMs: number;
    }
  /** `flow` is the `id` of the command that started it. */
  | { readonly type: "stop-flow"; readonly flow: number }
  /**
   * A middlebox forgets its mappings and flows and lets nothing through meanwhile, and longer where `downMs` says so. The
   * texts replace tables that they name whole; answered by `done` when the middlebox is back.
   */
  | {
      readonly type: "reboot";
      readonly id: number;
      readonly rules: readonly RuleText[];
      readonly downMs: number;
    }
  /**
   * A mobile node leaves the segments it is on and takes its place on another one, whose interface stands by: addresses as
   * its set-up says, and these routes. Answered by `done` when the protocol knows.
   */
  | {
      readonly type: "move";
      readonly id: number;
      /** Segment of the segment. */
      readonly to: string;
      readonly routes: readonly RouteSetup[];
      /** Local addresses to open the candidate sockets on, best first. */
      readonly localAddresses: readonly string[];
    }
  /** A mobile node takes all its bindings away and can be reached no more, until it moves; answered by `done`. */
  | { readonly type: "deregister"; readonly id: number }
  /** Other conditions of a segment whose set-up gives it some; answered by `done` when they hold. */
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
   * For a node that was reset: forgets all flows, loads these rules, and begins anew with everything else of its set-up.
   * It reports `hello` and `ready` again.
   */
  | { readonly type: "reuse"; readonly rules: readonly RuleText[] }
  | { readonly type: "finish" };

/** Monotonic and real time of a node, read together, milliseconds with a fraction: puts packets and events on one axis. */
export interface ClockReading {
  readonly monotonicMs: number;
  readonly realMs: number;
}

/** What a node tells the orchestrator. */
export type AgentReport =
  | {
      readonly type: "hello";
      readonly version: number;
      readonly pid: number;
      readonly nodeVersion: string;
      readonly clock: ClockReading;
    }
  /** The node has its place in the topology. `phasesMs`: where its time went since the set-up arrived. */
  | {
      readonly type: "ready";
      readonly phasesMs?: Readonly<Record<string, number>>;
      /** Absent where no segment has a condition, here and in `bye`. */
      readonly links?: readonly ImpairedLink[];
    }
  | { readonly type: "event"; readonly atMs: number; readonly event: NodeEvent }
  | { readonly type: "reply"; readonly id: number; readonly result: TrafficResult }
  | { readonly type: "probed"; readonly id: number; readonly observation: NatObservation }
  | { readonly type: "lifetime-probed"; readonly id: number; readonly observation: LifetimeObservation }
  | { readonly type: "heard"; readonly id: number; readonly datagrams: readonly HeardDatagram[] }
  /** What became of some requests of a flow, in no particular order. */
  | { readonly type: "flow"; readonly id: number; readonly packets: readonly FlowPacket[] }
  | { readonly type: "flow-ended"; readonly id: number }
  /** A change to the node was made; `atMs` is when it began to show. */
  | { readonly type: "done"; readonly id: number; readonly atMs: number }
  /** A piece of the pcap stream of one segment, base64; the pieces of a segment in order are one pcap file. */
  | { readonly type: "capture"; readonly segment: string; readonly data: string }
  | {
      readonly type: "capture-done";
      readonly segment: string;
      readonly captured: number;
      readonly droppedByKernel: number;
    }
  /** The node cannot go on and exits: what failed, and the last lines that say why. */
  | { readonly type: "fatal"; readonly code: string; readonly message: string }
  /** The last report of an orderly end. */
  | {
      readonly type: "bye";
      readonly clock: ClockReading;
      readonly counters: Readonly<Record<string, number>>;
      readonly links?: readonly LinkFigures[];
    };

/** Outcome of `ping` and `echo`. Round trips in the order of sending; `null` stands for one that was never answered. */
export interface TrafficResult {
  readonly sent: number;
  readonly received: number;
  readonly duplicates: number;
  readonly rttMs: readonly (number | null)[];
}

/** One request of a flow: when it was sent, and its round trip; `null` stands for one that was never answered. */
export interface FlowPacket {
  readonly sentAtMs: number;
  readonly rttMs: number | null;
}
