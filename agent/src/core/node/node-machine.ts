/**
 * What a driver sees of a node: one machine for a home agent, one for a mobile or correspondent node.
 *
 * Both take UDP datagrams, packets that the kernel routed into the TUN device, and wake-ups; both give UDP datagrams,
 * packets for the TUN device, and events.
 */

import type { SocketAddress } from "../address.ts";
import type { NodeEvent } from "../events.ts";
import type { Datagram, InstantMs, Transmit } from "../machine.ts";
import type { RefusedDatagram } from "../refusal.ts";
import type { DiscoveryAddresses } from "../stun/server.ts";
import type { AgentOptions } from "./agent-settings.ts";

/** A protocol node behind the verbs of `machine.ts`, plus the TUN device of its home address or home prefix. */
export interface NodeMachine {
  /** Starts what the node does on its own, such as the home registration. Called once, when sockets and TUN are open. */
  start(now: InstantMs): void;
  handleDatagram(now: InstantMs, datagram: Datagram): void;
  /** Takes one IPv6 packet that the kernel routed into the TUN device. */
  handleTunPacket(now: InstantMs, packet: Uint8Array): void;
  handleTimeout(now: InstantMs): void;
  pollTransmit(): Transmit | undefined;
  /** The next IPv6 packet to hand to the kernel through the TUN device. */
  pollTunPacket(): Uint8Array | undefined;
  pollEvent(): NodeEvent | undefined;
  /** When `handleTimeout` wants to be called next; undefined when idle. */
  pollTimeout(): InstantMs | undefined;
  /** Counters since the start, by name, such as `dropped.unknown` or `checks.sent`; for the result and for debugging. */
  counters(): Readonly<Record<string, number>>;
}

/** A mobile, correspondent or stationary node: what else it can be told. */
export interface MobileNodeMachine extends NodeMachine {
  /**
   * Offers a session to the peer with this home address (RFC 5952 text), as soon as the home registration stands; a
   * stationary node asks the peer to offer. A session that is being set up is left alone, one that is complete or has failed is restarted. Throws RangeError for
   * anything but the IPv6 address of another node.
   */
  connect(now: InstantMs, peerHomeAddress: string): void;
  /**
   * Ends what others keep for the node: bindings at correspondents, as far as the home token is still fresh, and the one
   * at the home agent. Sessions are over; `retarget` begins anew.
   */
  leave(now: InstantMs): void;
  /**
   * The node is on other local addresses: replaces its sockets, best first (the driver has opened them already). Data
   * takes the home agents' path at once, the node registers anew and restarts its sessions.
   */
  retarget(now: InstantMs, sockets: readonly SocketAddress[]): void;
  /** Takes word by ICMP that a datagram of one of its sockets was refused. */
  handleRefusal(now: InstantMs, refused: RefusedDatagram): void;
}

/** How a mobile node reaches its home agent. */
export interface HomeAgentAccess {
  /** The home agent's own IPv6 address inside the home prefix. */
  readonly address: string;
  /** Where it takes DSMIPv6 tunnels (UDP 4191), per IP version it has. */
  readonly tunnel: readonly SocketAddress[];
}

/** What a mobile, correspondent or stationary node is told when it is made. */
export interface MobileNodeConfig {
  /** Home address, RFC 5952 text; for a stationary node its own IPv6 address, which is among its sockets. */
  readonly homeAddress: string;
  /** Absent for a stationary node: it has no relayed candidate, and asks mobile nodes to offer instead of offering. */
  readonly homeAgent?: HomeAgentAccess;
  /** Where STUN servers listen, best first, such as UDP 3478 of the home agent; none for a node in the open. */
  readonly stunServers: readonly SocketAddress[];
  /** The sockets of this node, one per local address, best first; the first one that can reach the home agent carries the tunnel. */
  readonly sockets: readonly SocketAddress[];
  /** How its agent works; the defaults when absent. */
  readonly settings?: AgentOptions;
  /** Shared key that authenticates the home registration; absent means none. */
  readonly registrationKey?: Uint8Array;
}

/** What a home agent is told when it is made. */
export interface HomeAgentConfig {
  /** The home agent's own IPv6 address inside the home prefix, RFC 5952 text. */
  readonly address: string;
  /** Home prefix in CIDR form, such as `2001:db8:a::/64`. */
  readonly homePrefix: string;
  /** Sockets for DSMIPv6 (UDP 4191), one per local address. */
  readonly tunnelSockets: readonly SocketAddress[];
  /** Sockets for STUN: UDP 3478, one per local address; with `discovery` all four of each IP version. */
  readonly stunSockets: readonly SocketAddress[];
  /** Two addresses with two ports of an IP version, among `stunSockets`: NAT behaviour discovery (RFC 5780). */
  readonly discovery?: readonly DiscoveryAddresses[];
  /** Shared keys by home address: no other one registers. None, or an empty map: every one does, unauthenticated. */
  readonly registrationKeys?: ReadonlyMap<string, Uint8Array>;
}
