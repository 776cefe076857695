/** A protocol node that can end at once, and begin anew, as after a crash of its program or a reboot of its machine. */

import type { NodeSetup } from "../../control/messages.ts";
import { addCounters } from "./add-counters.ts";
import type { ProtocolNode } from "./protocol-node.ts";

export interface RestartableNode extends ProtocolNode {
  /** Ends the protocol, which tells nobody. */
  kill(): void;
  /** Ends the protocol if it runs, and starts it without what it knew, at the node's present addresses. */
  restart(): void;
}

/**
 * `open` makes a node that has sent nothing, at the place of this set-up; undefined for a role without a protocol. `run`
 * counts the starts, from 0. `onEnd` is told of each end but that of `close`.
 */
export function openRestartable(
  first: NodeSetup,
  open: (setup: NodeSetup, run: number) => ProtocolNode | undefined,
  onEnd: () => void,
): RestartableNode | undefined {
  const opened = open(first, 0);
  if (opened === undefined) return undefined;
  let current: ProtocolNode | undefined = opened;
  let setup = first;
  let run = 0;
  const ended: Readonly<Record<string, number>>[] = [];
  const kill = (): void => {
    if (current === undefined) return;
    ended.push(current.counters());
    current.close();
    current = undefined;
    onEnd();
  };
  return {
    start: () => current?.start(),
    connect: (peer) => current?.connect(peer) ?? false,
    moveTo(later, localAddresses) {
      setup = placedAt(later, localAddresses);
      return current?.moveTo(later, localAddresses) ?? false;
    },
    deregister: () => current?.deregister() ?? false,
    counters: () => addCounters(current === undefined ? ended : [...ended, current.counters()]),
    close: () => current?.close(),
    kill,
    restart() {
      kill();
      run += 1;
      current = open(setup, run);
      current?.start();
    },
  };
}

/** A set-up by which a node begins where it has moved to. */
function placedAt(setup: NodeSetup, localAddresses: readonly string[]): NodeSetup {
  const { role } = setup;
  return "localAddresses" in role ? { ...setup, role: { ...role, localAddresses } } : setup;
}
