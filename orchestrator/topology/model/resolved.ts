/**
 * A topology with every name resolved, every default filled in and every address assigned, for the rest of the program.
 * Made only by `resolve.ts`; no field is absent because something is undecided.
 */

import type {
  AgentOptions,
  CandidateType,
  Impairment,
  MOBILE_ROLES,
  NatProfile,
  SocketProtocol,
} from "@testbed/agent/control";
import type {
  DENIALS,
  FLOW_PATHS,
  FORWARD_PROTOCOLS,
  HostCapability,
  HostDevice,
  INBOUND_POLICIES,
  OUTBOUND_UDP_POLICIES,
  PATH_NAMES,
  PINHOLE_PROTOCOLS,
  PORT_MAPPING_PROTOCOLS,
  STATIONARY_PROTOCOLS,
  StopSignal,
  TRAFFIC_KINDS,
  TRIGGER_STATES,
  UNSOLICITED_SYN_ANSWERS,
} from "./words.ts";

export interface ResolvedTopology {
  readonly name: string;
  readonly summary: string;
  readonly seed: number;
  readonly segments: readonly ResolvedSegment[];
  readonly nodes: readonly ResolvedNode[];
  readonly sessions: readonly ResolvedSession[];
  readonly flows: readonly ResolvedFlow[];
  /** In order of time. */
  readonly timeline: readonly ResolvedEvent[];
  readonly expectations: readonly ResolvedExpectation[];
}

export interface ResolvedSegment {
  readonly name: string;
  /** Name of the interface that every node has on this segment, at most 15 octets, unique in the topology. */
  readonly interfaceName: string;
  /** CIDR; absent when the segment carries no such addresses. */
  readonly ipv4?: string;
  readonly ipv6?: string;
  /** Its nodes reach nobody on it but the routers whose LAN it is. */
  readonly isIsolated?: true;
  /** Octets of the largest IP packet on it; 1500 when absent. */
  readonly mtuOctets?: number;
}

/** A node's attachment to a segment. Addresses carry their prefix length: `192.168.1.2/24`. */
export interface ResolvedInterface {
  readonly segment: string;
  readonly interfaceName: string;
  readonly mac: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
  /** A STUN server's second addresses on this segment (RFC 5780); absent where the network has no room for them. */
  readonly alternate?: { readonly ipv4?: string; readonly ipv6?: string };
  /** Further IPv4 addresses here from which a router's NAT sends. */
  readonly pool?: readonly string[];
  /**
   * On a segment that a NAT64 serves: `ipv4` is an address of its pool, which packets on the segment never carry.
   * `source` is the IPv6 address that it is translated from; absent on the router itself.
   */
  readonly nat64?: { readonly prefix: string; readonly source?: string };
  /** Impairments of the link to the segment; absent where there are none. */
  readonly impairment?: ResolvedLinkImpairments;
}

/** Impairments of a link by direction: `out` leaves the node, `in` arrives at it. */
export interface ResolvedLinkImpairments {
  readonly out?: Impairment;
  readonly in?: Impairment;
}

export interface ResolvedRoute {
  /** Prefix in CIDR form; `0.0.0.0/0` and `::/0` are default routes. */
  readonly to: string;
  readonly via?: string;
  readonly interfaceName: string;
}

interface NodeCommon {
  readonly name: string;
  readonly interfaces: readonly ResolvedInterface[];
  readonly routes: readonly ResolvedRoute[];
  /** Its processes stand still, or its program has ended, after an event of the timeline; absent while they run. */
  readonly halt?: "paused" | "killed";
}

export type ResolvedNode =
  | ResolvedRouter
  | ResolvedHomeAgent
  | ResolvedStunServer
  | ResolvedDnsServer
  | ResolvedMobileNode
  | ResolvedStationaryNode
  | ResolvedHost;

/** A router, with a NAT, a firewall, both or neither. */
export interface ResolvedRouter extends NodeCommon {
  readonly role: "router";
  /** Interface names of the outside segments, several of them only with `nat`, and of the inside ones. */
  readonly wan: readonly string[];
  readonly lan: readonly string[];
  /** Address translation for IPv4; absent means plain forwarding. */
  readonly nat?: NatProfile;
  /** What the NAT does with TCP; present exactly where `nat` is. */
  readonly tcp?: TcpNat;
  /** Where `nat` translates hosts that have IPv6 alone. */
  readonly nat64?: ResolvedNat64;
  /** Inside networks with their outside networks, of equal length: 1:1 NAT, NPTv6. */
  readonly prefixes: readonly TranslatedPrefix[];
  /** Static port forwards; none without `nat`. */
  readonly forwards: readonly PortForward[];
  /** IPv4 addresses of hosts that the NAT translates, at any time of the run, in order; none without `nat`. */
  readonly insideHosts: readonly string[];
  /** Where there are several outside segments, for each in the order of `wan`: the routes of packets that leave there. */
  readonly uplinks: readonly (readonly ResolvedRoute[])[];
  /** How inside hosts may ask for outside ports during the run; none without `nat`. */
  readonly portMapping: readonly (typeof PORT_MAPPING_PROTOCOLS)[number][];
  readonly firewall: ResolvedFirewall;
}

/** What a NAT does with TCP; ports are assigned as for UDP. */
export interface TcpNat extends Pick<NatProfile, "mapping" | "filtering" | "hairpinning"> {
  /** The answer to a SYN from outside that is let in to nobody. */
  readonly unsolicitedSyn: (typeof UNSOLICITED_SYN_ANSWERS)[number];
  /** Lifetime of an idle connection, seconds. */
  readonly establishedSec: number;
  /** Lifetime of one that is opening or closing, seconds; at most `establishedSec`. */
  readonly transitorySec: number;
}

/** The prefix of synthesised addresses, and the IPv4 network by which the NAT knows the hosts of each inside one. */
export interface ResolvedNat64 {
  readonly prefix: string;
  readonly networks: readonly { readonly ipv6: string; readonly pool: string }[];
}

/** An outside port that is permanently mapped to one inside socket, in both directions. */
export interface PortForward {
  readonly protocol: (typeof FORWARD_PROTOCOLS)[number];
  readonly port: number;
  /** IPv4 address inside. */
  readonly to: string;
  readonly toPort: number;
}

/** Two networks in CIDR form whose hosts correspond one to one. */
export interface TranslatedPrefix {
  readonly inside: string;
  readonly outside: string;
}

/** The policy of a router. Stateful: packets of flows from inside are admitted. */
export interface ResolvedFirewall {
  readonly inbound: (typeof INBOUND_POLICIES)[number];
  /** UDP from inside to outside: everything, nothing, or only these destination ports. */
  readonly outboundUdp: (typeof OUTBOUND_UDP_POLICIES)[number] | readonly number[];
  /** What is done with packets that policy denies. */
  readonly denied: (typeof DENIALS)[number];
  /** Lifetime of an idle UDP flow, seconds. */
  readonly udpIdleSec: number;
  /** Destinations inside that unsolicited packets may reach. */
  readonly pinholes: readonly {
    readonly protocol: (typeof PINHOLE_PROTOCOLS)[number];
    readonly to: string;
    readonly port?: number;
    readonly from?: string;
  }[];
}

export interface ResolvedHomeAgent extends NodeCommon {
  readonly role: "home-agent";
  readonly homePrefix: string;
  /** The home agent's address in the home prefix. */
  readonly address: string;
  /** Local addresses for DSMIPv6 tunnels and STUN. */
  readonly listen: readonly string[];
  /** Second local addresses for STUN, at most one of each IP version. */
  readonly alternate: readonly string[];
}

/** A STUN server for NAT behaviour discovery (RFC 5780). */
export interface ResolvedStunServer extends NodeCommon {
  readonly role: "stun-server";
  readonly listen: readonly string[];
  /** The second local address of each IP version. */
  readonly alternate: readonly string[];
}

/** A name server for the names of the lab's nodes. */
export interface ResolvedDnsServer extends NodeCommon {
  readonly role: "dns";
  /** Local addresses that it serves on. */
  readonly listen: readonly string[];
  /** The prefix of the IPv6 addresses that it synthesises (RFC 6147); absent for none. */
  readonly dns64?: string;
}

export interface ResolvedMobileNode extends NodeCommon {
  readonly role: (typeof MOBILE_ROLES)[number];
  readonly homeAgent: string;
  readonly homeAddress: string;
  /** UDP port of the candidate sockets. */
  readonly port: number;
  readonly agent: AgentOptions;
}

/** A correspondent without a home agent. */
export interface ResolvedStationaryNode extends NodeCommon {
  readonly role: "stationary-node";
  readonly speaks: (typeof STATIONARY_PROTOCOLS)[number];
  /** Its IPv6 address, by which mobile nodes identify it. */
  readonly address: string;
  /** The home agent or STUN server that it queries; absent for none. */
  readonly stun?: string;
  /** UDP port of the candidate sockets. */
  readonly port: number;
  readonly agent: AgentOptions;
}

/** A node that runs a program of the file's author. */
export interface ResolvedHost extends NodeCommon {
  readonly role: "host";
  readonly source: ProgramSource;
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly files: readonly HostFile[];
  /** Directories in which the program may write, beside those that every program has of its own. */
  readonly writable: readonly string[];
  /** The directory that it is started in; absent for that of its image, or `/`. */
  readonly workdir?: string;
  /** The user that it is started as, by name or number; absent for that of its image, or root. */
  readonly user?: string;
  readonly capabilities: readonly HostCapability[];
  readonly devices: readonly HostDevice[];
  /** Addresses of the name servers that it is told of, best first; where there are none it knows all names itself. */
  readonly nameServers: readonly string[];
  /** Kernel parameters of its network namespace. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** Processes and threads that its program may have at once, and mebibytes of memory; defaults where absent. */
  readonly pids?: number;
  readonly memoryMiB?: number;
  /** Hosts that are ready before this one is started. */
  readonly startAfter: readonly string[];
  /** When its program is ready; absent for as soon as it is started. */
  readonly ready?: Readiness;
  /** The signal that asks it to end with its run; absent where it is killed at once. */
  readonly stopSignal?: StopSignal;
  /** Whether its program runs until the testbed ends it. */
  readonly isService: boolean;
}

/** What shows that a host's program is ready, and how long that may take from its start. */
export type Readiness = (
  | { readonly type: "output"; readonly pattern: string }
  | { readonly type: SocketProtocol; readonly port: number }
  /** It has ended with exit code 0. */
  | { readonly type: "exit" }
) & { readonly withinMs: number };

/** What a host's program is started from. */
export type ProgramSource =
  | { readonly type: "image"; readonly image: string }
  /** An image that is built at need from a folder with a Dockerfile. */
  | { readonly type: "build"; readonly folder: string }
  /** A program of the machine that the lab is on. */
  | { readonly type: "machine" };

/** A file that a host's program finds in place, beside those of its image or of the machine. */
export interface HostFile {
  /** Absolute path inside. */
  readonly path: string;
  readonly content: HostFileContent;
  readonly isExecutable: boolean;
}

export type HostFileContent =
  | { readonly type: "text"; readonly text: string }
  /** A file of the machine. */
  | { readonly type: "file"; readonly from: string };

export interface ResolvedSession {
  /** `from-to`, such as `mn-cn`. */
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly traffic: (typeof TRAFFIC_KINDS)[number];
  /** Octets of a packet's UDP payload, and packets a second; the testbed's own where absent. */
  readonly pace?: { readonly sizeBytes?: number; readonly perSec?: number };
}

/** Packets between two hosts that are followed and judged. */
export interface ResolvedFlow {
  readonly name: string;
  /** Names of hosts. */
  readonly between: readonly [string, string];
  readonly protocol: (typeof FORWARD_PROTOCOLS)[number];
  /** Packets from or to one of these ports at either host are data; empty for all. */
  readonly ports: readonly number[];
  /** Payloads with fewer octets are no data. */
  readonly minimumOctets: number;
  /** The file does not name it: it is told of only where there is data. */
  readonly isFound: boolean;
}

export type FlowPath = (typeof FLOW_PATHS)[number];

/** Something that happens during the run. */
export interface ResolvedEvent {
  /** Unique in the topology. */
  readonly name: string;
  readonly when: EventMoment;
  /**
   * Since every session has its path and has exchanged its first data; assumed where only a run shows it. For order and
   * prediction; a run goes by `when`.
   */
  readonly atMs: number;
  /** What happens at once, to a node each; at least one. */
  readonly actions: readonly TimelineAction[];
}

/** When an event happens: `plusMs` after all that it waits for, or after the beginning of the timeline. */
export interface EventMoment {
  /** The event that was carried out before, or whose effect has settled then: every session is quiescent. */
  readonly after?: { readonly event: string; readonly isSettled: boolean };
  /** What is seen then, and after `after`; without that, it may have been there at the beginning. */
  readonly on?: EventTrigger;
  readonly plusMs: number;
}

/** Something that a run shows. */
export type EventTrigger = StateTrigger;

/** A session comes to a state, or its data to a path. */
export interface StateTrigger {
  readonly type: "state";
  readonly session: string;
  readonly state: (typeof TRIGGER_STATES)[number];
}

/** What happens to `node`. */
export type TimelineAction =
  | MoveAction
  | DeregisterAction
  | RebootAction
  | ForgetAction
  | ReaddressAction
  | ChangeAction
  | ProcessAction
  | LinkAction;

/** A link's impairments change. */
export interface LinkAction {
  readonly type: "link";
  readonly node: string;
  readonly segment: string;
  readonly impairments: Required<ResolvedLinkImpairments>;
}

/** A mobile node or host moves from its segments to others; it stays on those that are among them. */
export interface MoveAction extends Place {
  readonly type: "move";
  readonly node: string;
  /** Names of the segments, the preferred one first. */
  readonly to: readonly string[];
}

/** Where a node is: its interfaces, and its routes from there. */
export interface Place {
  readonly interfaces: readonly ResolvedInterface[];
  readonly routes: readonly ResolvedRoute[];
}

/** A mobile node removes its bindings and cannot be reached until it moves. */
export interface DeregisterAction {
  readonly type: "deregister";
  readonly node: string;
}

/** A router forgets its mappings and flows, a home agent its bindings. */
export interface RebootAction {
  readonly type: "reboot";
  readonly node: string;
  readonly role: "router" | "home-agent" | "stun-server";
  /** How long the node passes and answers nothing, on top of the time that the reset takes. */
  readonly downMs: number;
  /** Seed of the ports that it draws from then on; absent without NAT. */
  readonly natSeed?: number;
}

/** A router forgets its mappings and flows, and nothing else. */
export interface ForgetAction {
  readonly type: "forget";
  readonly node: string;
}

/** A node gets other addresses on a segment. */
export interface ReaddressAction extends Place {
  readonly type: "readdress";
  readonly node: string;
  readonly segment: string;
  /** How long the old addresses stay beside the new ones. */
  readonly overlapMs: number;
}

/** A router behaves differently from now on. */
export interface ChangeAction {
  readonly type: "change";
  readonly node: string;
  /** Absent where address translation stays as it is. */
  readonly nat?: NatProfile;
  /** Present exactly where `nat` is. */
  readonly tcp?: TcpNat;
  /** Absent where the policy stays as it is. */
  readonly firewall?: ResolvedFirewall;
}

/** The processes of a node stand still or go on, or its program ends at once, or is started anew. */
export interface ProcessAction {
  readonly type: "pause" | "resume" | "kill" | "restart";
  readonly node: string;
}

export type PathName = (typeof PATH_NAMES)[number];

/** What the topology file expects; absent fields expect nothing. */
export type ResolvedExpectation = SessionExpectation | HostExpectation;

interface ExpectationCommon {
  /** `file:line` of the expectation, for the report. */
  readonly source: string;
}

/** What is expected of a host's program. */
export interface HostExpectation extends ExpectationCommon {
  readonly host: string;
  /** The event after which it must happen; absent for its start. */
  readonly after?: string;
  /** It ends by itself, with one of these exit codes. */
  readonly exit?: readonly number[];
  /** A line of its output matches this pattern. */
  readonly output?: string;
  /** From its start, or from the event, until all of that has happened. */
  readonly withinMs?: number;
}

/** What is expected of one session. */
export interface SessionExpectation extends ExpectationCommon {
  readonly session: string;
  /** The event after which it must hold, until the next one; absent for the time before the first. */
  readonly after?: string;
  readonly path?: PathName;
  /** Types of the selected pair, seen from the session's `from`: local, remote. */
  readonly selected?: readonly [CandidateType, CandidateType];
  readonly nominatedWithinMs?: number;
  /** With `after`: from the event until data is answered on the path. */
  readonly restoredWithinMs?: number;
  readonly maxOutageMs?: number;
  readonly roundTripWithinMs?: number;
  /** At most this many data packets lost. */
  readonly maxLost?: number;
}
