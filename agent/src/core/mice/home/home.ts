/**
 * How a node reaches the home addresses of its peers while there is no direct path. A mobile node does so through its
 * home agent, at which it registers; a stationary node (RFC 6275 section 2.2) has none, and its packets take the routes
 * of its kernel.
 */

import type { SocketAddress } from "../../address.ts";
import type { InstantMs, Transmit } from "../../machine.ts";
import type { BindingAcknowledgement } from "../../mip6/messages.ts";

export interface Home {
  /** The home agent's own address; undefined where there is none. */
  readonly agentAddress: string | undefined;
  /** Nothing stands in the way of offers: the home registration stands, or there is none to wait for. */
  readonly isReady: boolean;
  /** The socket that carries the tunnel; its port is that of the relayed candidate. */
  readonly tunnelSocket: SocketAddress | undefined;
  /** The node is at these sockets, best first. */
  settleAt(now: InstantMs, sockets: readonly SocketAddress[]): void;
  /** Registers once more because somebody has doubts; false when that is not to be. */
  confirm(now: InstantMs): boolean;
  /** Gives the registration up (RFC 6275 section 11.7.1). */
  leave(now: InstantMs): void;
  /** Takes an acknowledgement of the home agent; false when it answers nothing. */
  takeAcknowledgement(now: InstantMs, message: BindingAcknowledgement, header: Uint8Array): boolean;
  /** True when a datagram from there is the home agent's. */
  isAgent(remote: SocketAddress): boolean;
  /** Sends an IPv6 packet to a home address. */
  send(packet: Uint8Array): void;
  /** Sends a check from the relayed candidate; false when `local` is another candidate. */
  sendRelayed(transmit: Transmit): boolean;
  /** Moves on what is to be sent and reported; true when the node has just become ready. */
  advance(now: InstantMs): boolean;
  handleTimeout(now: InstantMs): void;
  pollTimeout(): InstantMs | undefined;
}
