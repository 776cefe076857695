/**
 * The interface between a driver and a node: one machine for a home agent, one for a mobile or correspondent node.
 *
 * Inputs are UDP datagrams, packets that the kernel routed into the TUN device, and timeouts. Outputs are UDP
 * datagrams, packets for the TUN device, and events.
 */

import type { SocketAddress } from "../address.ts";
import type { NodeEvent } from "../events.ts";
import type { LocalSocket } from "../local-socket.ts";
import type { Datagram, InstantMs, Transmit } from "../machine.ts";
import type { RefusedDatagram } from "../refusal.ts";
import type { DiscoveryAddresses } from "../stun/server.ts";
import type { AgentOptions } from "./agent-settings.ts";

/** A protocol machine with a TUN device for its home address or home prefix. */
export interface NodeMachine {
  /**
   * Starts what the node does unprompted, such as the home registration. Called once, when sockets and TUN are open.
   */
  start(now: InstantMs): void;
  handleDatagram(now: InstantMs, datagram: Datagram): void;
  /** Takes one IPv6 packet that the kernel routed into the TUN device. */
  handleTunPacket(now: InstantMs, packet: Uint8Array): void;
  handleTimeout(now: InstantMs): void;
  pollTransmit(): Transmit | undefined;
  /** The next IPv6 packet for the kernel, through the TUN device. */
  pollTunPacket(): Uint8Array | undefined;
  pollEvent(): NodeEvent | undefined;
  /** When to call `handleTimeout` next; undefined when idle. */
  pollTimeout(): InstantMs | undefined;
  /** Counters since the start by name, such as `dropped.unknown` or `checks.sent`. */
  counters(): Readonly<Record<string, number>>;
}

/** A mobile, correspondent or stationary node. */
export interface MobileNodeMachine extends NodeMachine {
  /**
   * Offers a session to the peer with this home address (RFC 5952 text) once the node is registered; a stationary node
   * requests an offer from the peer. A session that is being set up continues; one that is complete or has failed is
   * restarted. Throws RangeError for anything but the IPv6 address of another node.
   */
  connect(now: InstantMs, peerHomeAddress: string): void;
  /**
   * Deletes the node's bindings: at correspondents while the home token is fresh, and at the home agent. All sessions
   * end; `retarget` starts again.
   */
  leave(now: InstantMs): void;
  /**
   * The node's local addresses have changed: replaces its sockets, best first (the driver has already opened them).
   * Data takes the home agents' path at once, the node registers again and restarts its sessions.
   */
  retarget(now: InstantMs, sockets: readonly LocalSocket[]): void;
  /** Takes an ICMP error for a datagram of one of the node's sockets. */
  handleRefusal(now: InstantMs, refused: RefusedDatagram): void;
}

/** How a mobile node reaches its home agent. */
export interface HomeAgentAccess {
  /** The home agent's own IPv6 address inside the home prefix. */
  readonly address: string;
  /** Its addresses for DSMIPv6 tunnels (UDP 4191), one per IP version. */
  readonly tunnel: readonly SocketAddress[];
}

/** Configuration of a mobile, correspondent or stationary node. */
export interface MobileNodeConfig {
  /** Home address, RFC 5952 text; for a stationary node its own IPv6 address, which is among its sockets. */
  readonly homeAddress: string;
  /** Absent for a stationary node: it has no relayed candidate, and requests offers from mobile nodes. */
  readonly homeAgent?: HomeAgentAccess;
  /**
   * Addresses of STUN servers, best first, such as UDP 3478 of the home agent; none for a node with a global address.
   */
  readonly stunServers: readonly SocketAddress[];
  /**
   * Addresses by which this node knows the peers that it expects: it offers them a session when they request one.
   * None when absent.
   */
  readonly peers?: readonly string[];
  /** One socket per local address, best first. The first that can reach the home agent carries the tunnel. */
  readonly sockets: readonly LocalSocket[];
  /** Settings of its agent; the defaults when absent. */
  readonly settings?: AgentOptions;
  /** Shared key that authenticates the home registration; absent means none. */
  readonly registrationKey?: Uint8Array;
  /** Unix time of instant 0 in milliseconds, for timestamps of registrations (RFC 4285 section 6.1); default 0. */
  readonly clockOriginMs?: number;
}

/** Configuration of a home agent. */
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
  /**
   * Shared keys by home address; no other address registers. None, or an empty map: all register,
   * unauthenticated.
   */
  readonly registrationKeys?: ReadonlyMap<string, Uint8Array>;
  /** Unix time of instant 0 in milliseconds, to compare timestamps of registrations with; default 0. */
  readonly clockOriginMs?: number;
}
