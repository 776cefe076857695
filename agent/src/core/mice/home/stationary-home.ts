/** The home of a stationary node: its own address is where it is, and the kernel's routes lead to those of its peers. */

import type { Outbox } from "../../node/outbox.ts";
import type { Home } from "./home.ts";

/**
 * Packets leave through the TUN device: the kernel forwards what comes out of it, and puts what programs send to home
 * addresses into it.
 */
export function createStationaryHome(outbox: Outbox): Home {
  let hasSettled = false;
  return {
    agentAddress: undefined,
    isReady: true,
    tunnelSocket: undefined,
    settleAt() {
      hasSettled = true;
    },
    confirm: () => false,
    leave: () => undefined,
    takeAcknowledgement: () => false,
    isAgent: () => false,
    send: (packet) => outbox.toTun(packet),
    sendRelayed: () => false,
    advance() {
      const isNew = hasSettled;
      hasSettled = false;
      return isNew;
    },
    handleTimeout: () => undefined,
    pollTimeout: () => undefined,
  };
}
