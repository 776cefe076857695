/**
 * The invariants of one node among strangers, checked for everything that it sends:
 *
 * - Data goes only to the tunnel, or to an address that a check or a registration proved.
 * - A check goes to no other address than these, one of a peer's candidates, or the source of a peer's check; to each
 *   seven times at most for each time that it was named.
 * - Anybody else gets at most one packet for each that came from there.
 * - A packet that arrives makes the node send three at most on average. What its timer makes it send does not count,
 *   but keeps to a rate: retransmissions and checks follow a schedule, whatever arrives.
 */

import { formatSocketAddress, type SocketAddress } from "../../agent/src/core/address.ts";
import type { NodeEvent } from "../../agent/src/core/events.ts";
import type { Datagram, InstantMs, Transmit } from "../../agent/src/core/machine.ts";
import { demultiplex } from "../../agent/src/core/node/demultiplex.ts";
import type { NodeOutput } from "./session-net.ts";
import { expectAtMost } from "./target.ts";

/** SPEC 1.5: transmissions of one request. */
const REQUESTS_PER_MENTION = 7;
const SENT_PER_RECEIVED = 3;
/** What may be sent before the averages count. */
const SLACK = 128;
/** One check every 20 ms at most (SPEC 2.3), and as many retransmissions again. */
const TIMED_PER_SECOND = 100;
/** Addresses that are remembered of each kind; the oldest are forgotten. */
const MAX_REMEMBERED = 4096;

export class NodeWatch {
  readonly #name: string;
  readonly #isConfigured: (remote: SocketAddress) => boolean;
  /** Remote ends of valid pairs. */
  readonly #valid = new Map<string, number>();
  /** At a home agent: outer sources of registrations, by home address. */
  readonly #bound = new Map<string, string>();
  /** Requests that may still go to an address, by the text of its IP address. */
  readonly #named = new Map<string, number>();
  /** Packets received and not yet answered, by the text of the IP address. */
  readonly #unanswered = new Map<string, number>();
  #received = 0;
  #sentAtOnce = 0;
  #sentByTimer = 0;

  constructor(name: string, configured: readonly SocketAddress[]) {
    this.#name = name;
    const known = new Set(configured.map(formatSocketAddress));
    this.#isConfigured = (remote) => known.has(formatSocketAddress(remote));
  }

  receives({ remote }: Datagram): void {
    this.#received += 1;
    raise(this.#unanswered, remote.ip, 1);
  }

  /** Throws when an invariant does not hold; `now` counts from the node's start. */
  gives(now: InstantMs, { cause, events, transmits }: NodeOutput): void {
    for (const event of events) this.#learn(event);
    for (const transmit of transmits) this.#judge(transmit);
    if (cause === "packet") this.#sentAtOnce += transmits.length;
    if (cause === "timer") this.#sentByTimer += transmits.length;
    const allowed = SENT_PER_RECEIVED * this.#received + SLACK;
    expectAtMost(allowed, this.#sentAtOnce, `${this.#name}: packets sent because of ${this.#received}`);
    const scheduled = (TIMED_PER_SECOND * now) / 1000 + SLACK;
    expectAtMost(scheduled, this.#sentByTimer, `${this.#name}: packets sent by its timer within ${now} ms`);
  }

  #learn(event: NodeEvent): void {
    switch (event.type) {
      case "binding-registered":
        this.#bound.set(event.homeAddress, formatSocketAddress(event.observed));
        return;
      case "binding-removed":
        this.#bound.delete(event.homeAddress);
        return;
      case "pair-valid":
        raise(this.#valid, formatSocketAddress(event.pair.remote.address), 1);
        return;
      case "offer-received":
      case "answer-received":
        for (const { address } of event.candidates) raise(this.#named, address.ip, REQUESTS_PER_MENTION);
        return;
      case "check-received":
        raise(this.#named, event.from.ip, REQUESTS_PER_MENTION);
        return;
      default:
        return;
    }
  }

  #judge({ remote, payload }: Transmit): void {
    const key = formatSocketAddress(remote);
    const isProved = this.#valid.has(key) || [...this.#bound.values()].includes(key);
    if (isProved || this.#isConfigured(remote) || take(this.#unanswered, remote.ip)) return;
    const { kind } = demultiplex(payload);
    if (kind === "stun" && take(this.#named, remote.ip)) return;
    throw new Error(`${this.#name}: ${kind} of ${payload.length} octets to ${key}, which nothing proved`);
  }
}

function raise(counts: Map<string, number>, key: string, by: number): void {
  const count = counts.get(key) ?? 0;
  counts.delete(key);
  counts.set(key, count + by);
  const [oldest] = counts.keys();
  if (counts.size > MAX_REMEMBERED && oldest !== undefined) counts.delete(oldest);
}

/** Takes one from a count; false when there is none. */
function take(counts: Map<string, number>, key: string): boolean {
  const count = counts.get(key) ?? 0;
  if (count === 0) return false;
  counts.set(key, count - 1);
  return true;
}
