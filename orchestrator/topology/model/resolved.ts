/**
 * A topology with every name resolved, every default filled in and every address assigned: what the rest of the
 * program works from. Made only by `resolve.ts`; nothing in it is optional for lack of a decision.
 */

import type { AgentOptions, CandidateType, Impairment, MOBILE_ROLES, NatProfile } from "@testbed/agent/control";
import type {
  DENIALS,
  FORWARD_PROTOCOLS,
  INBOUND_POLICIES,
  OUTBOUND_UDP_POLICIES,
  PATH_NAMES,
  PINHOLE_PROTOCOLS,
  STATIONARY_PROTOCOLS,
  TRAFFIC_KINDS,
} from "./words.ts";

export interface ResolvedTopology {
  readonly name: string;
  readonly summary: string;
  readonly seed: number;
  readonly segments: readonly ResolvedSegment[];
  readonly nodes: readonly ResolvedNode[];
  readonly sessions: readonly ResolvedSession[];
  /** In the order of happening. */
  readonly timeline: readonly ResolvedEvent[];
  readonly expectations: readonly ResolvedExpectation[];
}

/** One segment. */
export interface ResolvedSegment {
  readonly name: string;
  /** Name of the interface that every node has on this segment, at most 15 octets, unique in the topology. */
  readonly interfaceName: string;
  /** CIDR; absent when the segment carries no such addresses. */
  readonly ipv4?: string;
  readonly ipv6?: string;
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
  /** What happens to packets between the node and the segment; absent where nothing does. */
  readonly impairment?: ResolvedLinkImpairments;
}

/** Conditions of a link by direction: `out` leaves the node, `in` arrives at it. */
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
}

export type ResolvedNode =
  | ResolvedRouter
  | ResolvedHomeAgent
  | ResolvedStunServer
  | ResolvedMobileNode
  | ResolvedStationaryNode
  | ResolvedHost;

/** A NAT or firewall middlebox. */
export interface ResolvedRouter extends NodeCommon {
  readonly role: "router";
  /** Interface names of the outside and of the inside segments. */
  readonly wan: string;
  readonly lan: readonly string[];
  /** Address translation for IPv4; absent means plain forwarding. */
  readonly nat?: NatProfile;
  /** Networks inside, and those that stand for them outside, of equal length: 1:1 NAT, NPTv6. */
  readonly prefixes: readonly TranslatedPrefix[];
  /** Outside ports that stand for sockets inside for good; none where no address is translated by `nat`. */
  readonly forwards: readonly PortForward[];
  readonly firewall: ResolvedFirewall;
}

/** An outside port whose packets go to one socket inside, and whose packets come from there. */
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

/** What a middlebox lets through, per IP version where they differ. Stateful: answers to what went out come back in. */
export interface ResolvedFirewall {
  readonly inbound: (typeof INBOUND_POLICIES)[number];
  /** UDP from inside to outside: everything, nothing, or only these destination ports. */
  readonly outboundUdp: (typeof OUTBOUND_UDP_POLICIES)[number] | readonly number[];
  /** What becomes of the rest. */
  readonly denied: (typeof DENIALS)[number];
  /** How long an idle UDP flow is remembered, seconds. */
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
  /** The home agent's own address in the home prefix. */
  readonly address: string;
  /** Local addresses for DSMIPv6 tunnels and STUN. */
  readonly listen: readonly string[];
  /** Second local addresses for STUN, at most one of each IP version. */
  readonly alternate: readonly string[];
}

/** A STUN server that does NAT behaviour discovery (RFC 5780), and nothing else. */
export interface ResolvedStunServer extends NodeCommon {
  readonly role: "stun-server";
  readonly listen: readonly string[];
  /** The second local address of each IP version. */
  readonly alternate: readonly string[];
}

export interface ResolvedMobileNode extends NodeCommon {
  readonly role: (typeof MOBILE_ROLES)[number];
  readonly homeAgent: string;
  readonly homeAddress: string;
  /** UDP port of the candidate sockets. */
  readonly port: number;
  readonly agent: AgentOptions;
}

/** A correspondent without home agent. */
export interface ResolvedStationaryNode extends NodeCommon {
  readonly role: "stationary-node";
  readonly speaks: (typeof STATIONARY_PROTOCOLS)[number];
  /** Its own IPv6 address, which is what mobile nodes know it by. */
  readonly address: string;
  /** The home agent or STUN server that it asks; absent where it asks nobody. */
  readonly stun?: string;
  /** UDP port of the candidate sockets. */
  readonly port: number;
  readonly agent: AgentOptions;
}

/** A foreign image in the lab's network. */
export interface ResolvedHost extends NodeCommon {
  readonly role: "host";
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export interface ResolvedSession {
  /** `from-to`, such as `mn-cn`. */
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly traffic: (typeof TRAFFIC_KINDS)[number];
}

/** Something that happens during the run. */
export interface ResolvedEvent {
  /** Unique in the topology. */
  readonly name: string;
  /** Counted from when every session has its path and has exchanged its first data. */
  readonly atMs: number;
  readonly action: TimelineAction;
}

/** What happens. `node` is whom it happens to. */
export type TimelineAction = MoveAction | DeregisterAction | RebootAction | LinkAction;

/** A link gets other conditions. */
export interface LinkAction {
  readonly type: "link";
  readonly node: string;
  readonly segment: string;
  readonly impairments: Required<ResolvedLinkImpairments>;
}

/** A mobile node leaves its segment for another one. */
export interface MoveAction extends Place {
  readonly type: "move";
  readonly node: string;
  /** The segment. */
  readonly to: string;
}

/** Where a node is: its attachments, and its ways from there. */
export interface Place {
  readonly interfaces: readonly ResolvedInterface[];
  readonly routes: readonly ResolvedRoute[];
}

/** A mobile node takes its bindings away and can be reached no more, until it moves. */
export interface DeregisterAction {
  readonly type: "deregister";
  readonly node: string;
}

/** A middlebox forgets its mappings and flows. */
export interface RebootAction {
  readonly type: "reboot";
  readonly node: string;
  /** How long the middlebox lets nothing through, beyond what forgetting takes. */
  readonly downMs: number;
  /** Seed of the ports that it draws from then on; absent for a middlebox that does not translate. */
  readonly natSeed?: number;
}

export type PathName = (typeof PATH_NAMES)[number];

/** What the topology file promises of one session; absent fields promise nothing. */
export interface ResolvedExpectation {
  readonly session: string;
  /** `file:line` of the expectation, for the report. */
  readonly source: string;
  /** The event from which on it holds, until the next one; absent for what holds before the first. */
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
