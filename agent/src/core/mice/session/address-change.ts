/** What a change of the node's local addresses means for its sessions. */

import type { SocketAddress } from "../../address.ts";

export interface AddressChange {
  /** Sockets that the node had before and still has. */
  readonly kept: readonly SocketAddress[];
  /** There are others beside them. */
  readonly hasNew: boolean;
}
