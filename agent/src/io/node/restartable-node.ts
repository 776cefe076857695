/** A protocol node that can begin anew, as after a reboot of its machine. */

import { addCounters } from "./add-counters.ts";
import type { ProtocolNode } from "./protocol-node.ts";

export interface RestartableNode extends ProtocolNode {
  /** Ends the protocol and starts it without what it knew. */
  restart(): void;
}

/** `open` makes a node that has sent nothing; undefined for a role without a protocol. */
export function openRestartable(open: () => ProtocolNode | undefined): RestartableNode | undefined {
  const first = open();
  if (first === undefined) return undefined;
  let current = first;
  const ended: Readonly<Record<string, number>>[] = [];
  return {
    start: () => current.start(),
    connect: (peer) => current.connect(peer),
    moveTo: (setup, localAddresses) => current.moveTo(setup, localAddresses),
    deregister: () => current.deregister(),
    counters: () => addCounters([...ended, current.counters()]),
    close: () => current.close(),
    restart() {
      ended.push(current.counters());
      current.close();
      current = open() ?? current;
      current.start();
    },
  };
}
