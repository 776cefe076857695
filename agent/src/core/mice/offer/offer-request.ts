/**
 * How a node without home agent begins a session: it requests an offer from the mobile node with a Binding Refresh
 * Request through the home agents (A-30; RFC 6275 section 6.1.2).
 */

import type { InstantMs } from "../../machine.ts";
import { type Backoff, createBackoff } from "../session/backoff.ts";
import { HOME_WAY } from "../session/mobility-link.ts";
import type { SessionHost } from "../session/session-host.ts";

/** One request at a time, repeated until an offer arrives. */
export class OfferRequest {
  readonly #host: SessionHost;
  #backoff: Backoff | undefined;

  constructor(host: SessionHost) {
    this.#host = host;
  }

  /** Requested, and no offer yet. */
  get isOpen(): boolean {
    return this.#backoff !== undefined;
  }

  start(now: InstantMs): void {
    const { mobilityFirstTimeoutMs: firstMs, mobilityMaxTimeoutMs: maxMs } = this.#host.env.timers;
    this.#backoff = createBackoff(now, { firstMs, maxMs });
    this.#send(now);
  }

  /** The offer has arrived, or is not wanted any more. */
  stop(): void {
    this.#backoff = undefined;
  }

  handleTimeout(now: InstantMs): void {
    const due = this.#backoff?.poll(now);
    if (due === undefined) return;
    if (due === "send") {
      this.#send(now);
      return;
    }
    this.stop();
    this.#host.fail(now, "the peer was asked to offer a session and did not");
  }

  pollTimeout(): InstantMs | undefined {
    return this.#backoff?.dueAt;
  }

  #send(now: InstantMs): void {
    const { env, peer, rate } = this.#host;
    if (!rate.admits(now, "binding-refresh-request")) return;
    env.link.send(peer, { type: "binding-refresh-request", options: [] }, HOME_WAY);
    env.outbox.emit({ type: "offer-requested", peer });
  }
}
