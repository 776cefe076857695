/**
 * How many requests of strangers a node authenticates in vain, and how many refusals it sends (S24). Anyone can send
 * them, with any source, so both are bounded by source and in all. What passes is not counted, and a source from which
 * the peer is known to send is always heard: forged requests with its address keep nobody out.
 */

import { addressToBytes, familyOf, type SocketAddress } from "../address.ts";
import type { InstantMs } from "../machine.ts";
import { createSharedBudget, type SharedLimits } from "../shared-budget.ts";

/** The budget of a node, shared by its sessions. */
export interface Refusals {
  /** Whether a request of this stranger may cost an HMAC. */
  maySuspect(now: InstantMs, source: SocketAddress): boolean;
  /** Notes a request of this source whose HMAC was wrong. */
  noteForgery(now: InstantMs, source: SocketAddress): void;
  /** Whether a refusal may be sent to this source; counts it if so. */
  mayAnswer(now: InstantMs, source: SocketAddress): boolean;
}

/**
 * Profile: an honest node is refused a few times when it reaches another node at a private address, and after a restart,
 * by its consent checks, two a second (SPEC 2.14).
 */
const LIMITS: SharedLimits = { perSource: { perSec: 10, atOnce: 20 }, overall: { perSec: 100, atOnce: 200 } };

/** Octets of a /64. */
const NETWORK_OCTETS = 8;

export function createRefusals(): Refusals {
  const forgeries = createSharedBudget(LIMITS);
  const answers = createSharedBudget(LIMITS);
  return {
    maySuspect: (now, source) => forgeries.has(now, sourceOf(source)),
    noteForgery: (now, source) => void forgeries.take(now, sourceOf(source)),
    mayAnswer: (now, source) => answers.take(now, sourceOf(source)),
  };
}

/** An IPv4 address or an IPv6 /64, whatever the port: a single host has all of those. */
function sourceOf({ ip }: SocketAddress): string {
  return familyOf(ip) === 4 ? ip : String.fromCharCode(...addressToBytes(ip).subarray(0, NETWORK_OCTETS));
}
