/**
 * The MTU of one way to a peer: packetization layer path MTU discovery (RFC 8899) by need. Nothing is probed before a
 * packet is larger than what every way carries; then its size and smaller ones are probed at once, so that one
 * round trip shows which of them pass. What counts is that a probe is answered, whether or not ICMP tells of those that
 * are not (SPEC 8.12).
 */

import type { InstantMs } from "../machine.ts";

/** Inner octets that every way carries: what an IPv4 link of 576 octets leaves of them (BASE_PLPMTU). */
export const BASE_MTU = 548;

/** The least MTU of IPv6 (RFC 8200 section 5): no smaller one can be announced to the sender of a packet. */
const LEAST_IPV6_MTU = 1280;

/** Inner octets that links of 1500 octets leave over IPv4. */
const MOST_MTU = 1472;

/**
 * Inner octets that are probed, largest first: those, what links of 1500 octets leave over IPv6, the least MTU of IPv6,
 * what links of 1280 octets leave over IPv6, and links of 1124 octets over IPv4. There are none between the least MTU and
 * full links: who is refused sends the least, and a burst of probes stays within four times the packet that causes it.
 */
const PROBED_MTUS = [MOST_MTU, 1452, LEAST_IPV6_MTU, 1232, 1096] as const;

/** Probes of one size before it counts as too large (MAX_PROBES), and the time between them (PROBE_TIMER). */
const MAX_PROBES = 3;
const PROBE_MS = 500;

/** While large packets are sent, the way is probed again after this time: paths change, and ICMP may not tell. */
const CONFIRMED_FOR_MS = 5000;

/** What to do with a packet: send it whole, in fragments of at most `octets`, or refuse it with this MTU. */
export type Passage =
  | { readonly type: "whole" }
  | { readonly type: "fragments"; readonly octets: number }
  | { readonly type: "refuse"; readonly mtu: number };

const WHOLE: Passage = { type: "whole" };

export class PathMtu {
  /** Largest size that is known to pass. */
  #mtu: number = BASE_MTU;
  /** Largest size answered in this search. */
  #answered: number = BASE_MTU;
  /** Largest size that is sought, or was last. */
  #sought = 0;
  /** Largest size of which a search has ended. */
  #searched = 0;
  #probesSent = 0;
  #nextAt: InstantMs | undefined;
  #searchedAt: InstantMs = -Infinity;

  /** The passage of a packet larger than `BASE_MTU`. May begin a search, or a larger one: probes are due then. */
  passageOf(now: InstantMs, octets: number): Passage {
    const goal = PROBED_MTUS.findLast((size) => size >= octets) ?? MOST_MTU;
    const isDue = this.#nextAt === undefined && now - this.#searchedAt >= CONFIRMED_FOR_MS;
    if (isDue) this.#answered = BASE_MTU;
    if (isDue || goal > this.#sought) this.#seek(now, goal);
    if (octets <= this.#mtu) return WHOLE;
    const mtu = Math.max(this.#mtu, LEAST_IPV6_MTU);
    if (octets > mtu && goal <= this.#searched) return { type: "refuse", mtu };
    return { type: "fragments", octets: this.#mtu };
  }

  /** When `takeDue` has something; undefined while nothing is sought. */
  get nextAt(): InstantMs | undefined {
    return this.#nextAt;
  }

  /** The sizes to probe now. */
  takeDue(now: InstantMs): readonly number[] {
    if (this.#nextAt === undefined || now < this.#nextAt) return [];
    if (this.#probesSent >= MAX_PROBES) {
      this.#end(now);
      return [];
    }
    this.#probesSent += 1;
    this.#nextAt = now + PROBE_MS;
    const others = Math.min(this.#sought, LEAST_IPV6_MTU);
    return PROBED_MTUS.filter((size) => size > this.#answered && (size === this.#sought || size <= others));
  }

  /** A probe of this size was answered. */
  noteAnswer(now: InstantMs, octets: number): void {
    if (this.#nextAt === undefined) return;
    this.#answered = Math.max(this.#answered, octets);
    this.#mtu = Math.max(this.#mtu, this.#answered);
    if (this.#answered >= this.#sought) this.#end(now);
  }

  #seek(now: InstantMs, goal: number): void {
    this.#sought = goal;
    this.#probesSent = 0;
    this.#nextAt = now;
  }

  #end(now: InstantMs): void {
    this.#mtu = this.#answered;
    this.#searched = this.#sought;
    this.#searchedAt = now;
    this.#nextAt = undefined;
  }
}
