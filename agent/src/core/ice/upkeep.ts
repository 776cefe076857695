/** Upkeep after a pair is selected: keepalives, and freeing unused candidates (SPEC 2.9 and 2.11). */

import type { InstantMs } from "../machine.ts";
import type { IceLimits } from "./constants.ts";

/** A duty that is due. */
export type UpkeepDuty = "keepalive" | "release";

export class Upkeep {
  readonly #keepaliveMs: number;
  #sentAt: InstantMs;
  #releaseAt: InstantMs | undefined;

  /** Starts when a pair is selected. */
  constructor(now: InstantMs, { keepaliveMs, freeDelayMs }: Pick<IceLimits, "keepaliveMs" | "freeDelayMs">) {
    this.#keepaliveMs = keepaliveMs;
    this.#sentAt = now;
    this.#releaseAt = now + freeDelayMs;
  }

  /** Notes a packet sent on the selected pair. */
  noteSent(now: InstantMs): void {
    this.#sentAt = now;
  }

  /** Takes the next duty; undefined when none is due. */
  takeDue(now: InstantMs): UpkeepDuty | undefined {
    if (this.#releaseAt !== undefined && now >= this.#releaseAt) {
      this.#releaseAt = undefined;
      return "release";
    }
    if (now < this.#sentAt + this.#keepaliveMs) return undefined;
    this.#sentAt = now;
    return "keepalive";
  }

  get nextDueAt(): InstantMs {
    return Math.min(this.#sentAt + this.#keepaliveMs, this.#releaseAt ?? Infinity);
  }
}
