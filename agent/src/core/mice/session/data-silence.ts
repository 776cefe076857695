/**
 * Notices that the peer's data stops on a direct path while this node goes on sending: a NAT may have lost its mappings
 * or changed its address, and consent checks would show that only after 15 s (SPEC 2.14). A peer that merely has nothing
 * to say costs one consent check.
 */

import type { InstantMs } from "../../machine.ts";

/** Data counts as a flow after this many packets, none of which came later than `QUIET_MS` after the one before. */
const FLOW_PACKETS = 5;

/** So long nothing has come of a flow. */
const QUIET_MS = 500;

export class DataSilence {
  #receivedAt: InstantMs = -Infinity;
  #inARow = 0;
  #sentAt: InstantMs = -Infinity;
  /** The flow that has stopped was noticed, or there is none. */
  #isIdle = true;

  noteReceived(now: InstantMs): void {
    this.#inARow = now - this.#receivedAt <= QUIET_MS ? this.#inARow + 1 : 1;
    this.#receivedAt = now;
    this.#isIdle = this.#inARow < FLOW_PACKETS;
  }

  noteSent(now: InstantMs): void {
    this.#sentAt = now;
  }

  /** Data goes another way from now on. */
  reset(): void {
    this.#inARow = 0;
    this.#isIdle = true;
  }

  /** True once for each flow that stopped while this node was sending. */
  takeDue(now: InstantMs): boolean {
    if (this.#isIdle || now < this.#receivedAt + QUIET_MS) return false;
    this.#isIdle = true;
    // A node that answers has stopped to send as well, and so has one whose own program has nothing to say.
    return this.#sentAt > this.#receivedAt + QUIET_MS / 2;
  }

  pollTimeout(): InstantMs | undefined {
    return this.#isIdle ? undefined : this.#receivedAt + QUIET_MS;
  }
}
