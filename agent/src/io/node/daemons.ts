/** The daemons of a node, which start and end together. */

import type { DaemonSetup } from "../../control/messages.ts";
import type { NodeFailure } from "../failure.ts";
import { type Daemon, startDaemon } from "../process/daemon.ts";

export interface Daemons {
  /** Resolves when all of them serve. Rejects with `daemon-failed`. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops them, makes a change, and starts them again: what they knew is gone. */
  restartAround(change: () => Promise<void>): Promise<void>;
}

/** `onFailure` is told of a daemon that ends before it is stopped. */
export function createDaemons(setups: readonly DaemonSetup[], onFailure: (failure: NodeFailure) => void): Daemons {
  let running: readonly Daemon[] = [];
  const start = async (): Promise<void> => {
    running = await Promise.all(setups.map((setup) => startDaemon(setup, onFailure)));
  };
  const stop = async (): Promise<void> => {
    const stopping = running;
    running = [];
    await Promise.all(stopping.map((daemon) => daemon.stop()));
  };
  return {
    start,
    stop,
    async restartAround(change) {
      await stop();
      await change();
      await start();
    },
  };
}
