/** The home of a stationary node: its address is its location, and the kernel's routes lead to its peers. */

import type { Outbox } from "../../node/outbox.ts";
import type { Home } from "./home.ts";

/**
 * Packets are sent through the TUN device: the kernel forwards them, and routes packets of programs to home addresses
 * into it.
 */
export function createStationaryHome(outbox: Outbox): Home {
  let hasSettled = false;
  return {
    agentAddress: undefined,
    isReady: true,
    tunnelWay: undefined,
    settleAt() {
      hasSettled = true;
    },
    confirm: () => false,
    resume: () => undefined,
    leave: () => undefined,
    takeAcknowledgement: () => false,
    isAgent: () => false,
    ownsTransaction: () => false,
    handleStun: () => undefined,
    send: (packet) => outbox.toTun(packet),
    sendRelayed: () => false,
    advance() {
      const hasRegistered = hasSettled;
      hasSettled = false;
      return { hasRegistered };
    },
    handleTimeout: () => undefined,
    pollTimeout: () => undefined,
  };
}
