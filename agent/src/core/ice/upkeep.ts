/** What remains to do once a pair is selected: keepalives, and letting go of the rest (SPEC 2.9 and 2.11). */

import type { InstantMs } from "../machine.ts";
import type { IceLimits } from "./constants.ts";

/** A duty whose time has come. */
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

  /** Something left on the selected pair. */
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
