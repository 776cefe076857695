/**
 * How a node reaches its peers' home addresses without a direct path. A mobile node uses its home agent, where it
 * registers; a stationary node (RFC 6275 section 2.2) has none, and its packets take the kernel's routes.
 */

import type { SocketAddress } from "../../address.ts";
import type { LocalSocket } from "../../local-socket.ts";
import type { InstantMs, Transmit } from "../../machine.ts";
import type { BindingAcknowledgement } from "../../mip6/messages.ts";
import type { StunDatagram } from "../../stun/receive.ts";
import type { TunnelWay } from "./reverse-tunnel.ts";

/** What has changed. */
export interface HomeNews {
  /** The node has just been registered, or has just become ready without a registration. */
  readonly hasRegistered: boolean;
  /** The home agent cannot be reached from this socket any more, or not by its old mapping: pairs of it may be dead. */
  readonly changedSocket?: SocketAddress;
}

export interface Home {
  /** The home agent's address; undefined without one. */
  readonly agentAddress: string | undefined;
  /** Offers may be sent: the node is registered, or has no registration to wait for. */
  readonly isReady: boolean;
  /** The way of the tunnel; the port of its socket is that of the relayed candidate. */
  readonly tunnelWay: TunnelWay | undefined;
  /** The node has these sockets, best first; `kept` are those that it had before. */
  settleAt(now: InstantMs, sockets: readonly LocalSocket[], kept: readonly SocketAddress[]): void;
  /** Registers again because the mapping is in doubt; false when skipped. */
  confirm(now: InstantMs): boolean;
  /** The node has not run for a while: registers again and asks whether the tunnel works, both at once. */
  resume(now: InstantMs): void;
  /** Deletes the registration (RFC 6275 section 11.7.1). */
  leave(now: InstantMs): void;
  /** Takes an acknowledgement of the home agent; false when it answers nothing. */
  takeAcknowledgement(now: InstantMs, message: BindingAcknowledgement, header: Uint8Array): boolean;
  /** True when this is an address of the home agent. */
  isAgent(remote: SocketAddress): boolean;
  /** True for the transaction ID of an open question to the home agent. */
  ownsTransaction(transactionId: Uint8Array): boolean;
  /** Takes the answer to such a question. */
  handleStun(now: InstantMs, datagram: StunDatagram): void;
  /** Sends an IPv6 packet to a home address. */
  send(packet: Uint8Array): void;
  /** Sends a check from the relayed candidate; false when `local` is another candidate. */
  sendRelayed(transmit: Transmit): boolean;
  /** Passes on packets and events. */
  advance(now: InstantMs): HomeNews;
  handleTimeout(now: InstantMs): void;
  pollTimeout(): InstantMs | undefined;
}
