/**
 * How a node reaches its peers' home addresses without a direct path. A mobile node uses its home agent, where it
 * registers; a stationary node (RFC 6275 section 2.2) has none, and its packets take the kernel's routes.
 */

import type { SocketAddress } from "../../address.ts";
import type { LocalSocket } from "../../local-socket.ts";
import type { InstantMs, Transmit } from "../../machine.ts";
import type { BindingAcknowledgement } from "../../mip6/messages.ts";

export interface Home {
  /** The home agent's address; undefined without one. */
  readonly agentAddress: string | undefined;
  /** Offers may be sent: the node is registered, or has no registration to wait for. */
  readonly isReady: boolean;
  /** The socket that carries the tunnel; its port is that of the relayed candidate. */
  readonly tunnelSocket: SocketAddress | undefined;
  /** The node has these sockets, best first. */
  settleAt(now: InstantMs, sockets: readonly LocalSocket[]): void;
  /** Registers again because the mapping is in doubt; false when skipped. */
  confirm(now: InstantMs): boolean;
  /** Deletes the registration (RFC 6275 section 11.7.1). */
  leave(now: InstantMs): void;
  /** Takes an acknowledgement of the home agent; false when it answers nothing. */
  takeAcknowledgement(now: InstantMs, message: BindingAcknowledgement, header: Uint8Array): boolean;
  /** True when this is an address of the home agent. */
  isAgent(remote: SocketAddress): boolean;
  /** Sends an IPv6 packet to a home address. */
  send(packet: Uint8Array): void;
  /** Sends a check from the relayed candidate; false when `local` is another candidate. */
  sendRelayed(transmit: Transmit): boolean;
  /** Passes on packets and events; true when the node has just become ready. */
  advance(now: InstantMs): boolean;
  handleTimeout(now: InstantMs): void;
  pollTimeout(): InstantMs | undefined;
}
