/** What comes back by ICMP in place of an answer. Anybody may have written it: it explains, and decides nothing. */

import type { SocketAddress } from "./address.ts";

/** Who threw a datagram away, and why. */
export interface Refusal {
  /** Sender of the ICMP message: a middlebox on the way, the other end, or this node itself. */
  readonly by: string;
  /** In the words of RFC 792, RFC 1812 section 5.2.7.1 and RFC 4443 section 3, such as `port unreachable`. */
  readonly reason: string;
}

/** A datagram that was refused: it left from the socket `local` to `remote`. */
export interface RefusedDatagram extends Refusal {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}
