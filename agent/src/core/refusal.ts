/** ICMP errors for datagrams of this node. They can be forged, so they explain a failure and decide nothing. */

import type { SocketAddress } from "./address.ts";

/** Which node dropped a datagram, and why. */
export interface Refusal {
  /** Sender of the ICMP error: a node on the path, the other end, or this node itself. */
  readonly by: string;
  /** In the words of RFC 792, RFC 1812 section 5.2.7.1 and RFC 4443 section 3, such as `port unreachable`. */
  readonly reason: string;
}

/** A datagram that was refused by an ICMP error; it was sent from the socket `local` to `remote`. */
export interface RefusedDatagram extends Refusal {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}
