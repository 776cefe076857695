/** The interface between a driver and a probe: that of `machine.ts`, and a result at the end. */

import type { Datagram, InstantMs, Transmit } from "../machine.ts";

export interface ProbeMachine<Result> {
  /** Sends the first requests. Called once, when the sockets are open. */
  start(now: InstantMs): void;
  handleDatagram(now: InstantMs, datagram: Datagram): void;
  handleTimeout(now: InstantMs): void;
  pollTransmit(): Transmit | undefined;
  /** When to call `handleTimeout` next; undefined once the probe has ended. */
  pollTimeout(): InstantMs | undefined;
  /** Defined once the probe has ended. */
  result(): Result | undefined;
}
