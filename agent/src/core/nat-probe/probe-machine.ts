/** What a driver sees of a probe: the verbs of `machine.ts`, and a result in the end. */

import type { Datagram, InstantMs, Transmit } from "../machine.ts";

export interface ProbeMachine<Result> {
  /** Asks the first questions. Called once, when the sockets are open. */
  start(now: InstantMs): void;
  handleDatagram(now: InstantMs, datagram: Datagram): void;
  handleTimeout(now: InstantMs): void;
  pollTransmit(): Transmit | undefined;
  /** When `handleTimeout` wants to be called next; undefined once the probe has ended. */
  pollTimeout(): InstantMs | undefined;
  /** Defined once the probe has ended. */
  result(): Result | undefined;
}
