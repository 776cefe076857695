/**
 * The binding of this node at a peer as its correspondent: Binding Updates over the selected pair, and fresh tokens and
 * an update before the binding expires. Its acknowledgement moves this node's data to the direct path
 * (A-31).
 */

import type { ValidPair } from "../../ice/ice-machine.ts";
import { isRelayed } from "../../ice/pair.ts";
import type { InstantMs } from "../../machine.ts";
import { minInstant } from "../../min-instant.ts";
import type { MobilityMessageOf } from "../../mip6/messages.ts";
import { MAX_RR_BINDING_LIFETIME_SEC } from "../../mip6/return-routability.ts";
import type { Offerer } from "../offer/offerer.ts";
import { encodeMipIce } from "../option/mip-ice-option.ts";
import { describeGeneration } from "../session/generation.ts";
import type { ReceivedMobility } from "../session/session-environment.ts";
import type { SessionHost } from "../session/session-host.ts";
import { BindingUpdateSender } from "./binding-update-sender.ts";

/** A binding is refreshed after this share of its lifetime, which leaves time for repetitions. */
const REFRESH_AT_PART = 0.75;

/** Maximum exchanges of new tokens after expired nonces, before the direct path is given up. */
const MAX_TOKEN_RENEWALS = 3;

/** An acknowledged binding; `refreshAt` is absent once its refresh has begun. */
interface AcceptedBinding {
  readonly lifetimeMs: number;
  readonly refreshAt: InstantMs | undefined;
  readonly expiresAt: InstantMs;
}

/** Idle until `request`; after the acknowledgement it refreshes the binding. */
export class OutboundBinding {
  readonly #host: SessionHost;
  readonly #offerer: Offerer;
  readonly #sender: BindingUpdateSender;
  #isWanted = false;
  /** The current update deletes the binding. */
  #isLeaving = false;
  #renewals = 0;
  /** The pair of the current update or binding. */
  #pair: ValidPair | undefined;
  #accepted: AcceptedBinding | undefined;

  constructor(host: SessionHost, offerer: Offerer) {
    const { env, peer, rate } = host;
    const { mobilityFirstTimeoutMs: firstMs, mobilityMaxTimeoutMs: maxMs, tokenLifetimeMs } = env.timers;
    const limits = { firstMs, maxMs, tokenLifetimeMs };
    this.#host = host;
    this.#offerer = offerer;
    const onSent = (sequence: number, careOf: string): void =>
      env.outbox.emit({ type: "binding-update-sent", peer, sequence, careOf });
    this.#sender = new BindingUpdateSender(peer, limits, { link: env.link, rate, onSent });
  }

  /** Requests an update for the pair just selected, as soon as `advance` finds both tokens. */
  request(): void {
    this.#isLeaving = false;
    this.#isWanted = true;
  }

  advance(now: InstantMs): void {
    if (!this.#isWanted) return;
    const { generation } = this.#host;
    const tokens = this.#offerer.tokens(now);
    if (generation?.origin !== "offer" || generation.ice.state !== "completed" || tokens === undefined) return;
    const selected = generation.ice.selectedPair();
    if (selected === undefined || isRelayed(selected)) return;
    this.#isWanted = false;
    this.#pair = selected;
    this.#sender.start(now, {
      ...tokens,
      careOf: selected.local.address.ip,
      lifetimeSec: this.#host.env.timers.bindingLifetimeMs / 1000,
      offer: encodeMipIce(describeGeneration(generation, "offer")),
      way: { type: "pair", local: selected.local.base, remote: selected.remote.address },
    });
  }

  /** A new generation begins: updates of the old one end. The binding remains until it expires. */
  suspend(): void {
    this.#sender.stop();
    this.#isWanted = false;
    if (this.#accepted !== undefined) this.#accepted = { ...this.#accepted, refreshAt: undefined };
  }

  /** The generation of the binding is current again: refreshes go on. */
  resume(): void {
    if (this.#accepted === undefined) return;
    const { lifetimeMs, expiresAt } = this.#accepted;
    this.#accepted = { ...this.#accepted, refreshAt: expiresAt - lifetimeMs * (1 - REFRESH_AT_PART) };
  }

  /** The pair is dead: drops the binding and sends nothing more on it. */
  drop(): void {
    this.#sender.stop();
    this.#isWanted = false;
    this.#isLeaving = false;
    this.#accepted = undefined;
  }

  /** Deletes the binding at the peer if there is one and the home token is fresh; else it expires. */
  leave(now: InstantMs): void {
    const homeToken = this.#offerer.homeToken(now);
    const pair = this.#accepted && this.#pair;
    this.drop();
    if (homeToken === undefined || pair === undefined) return;
    this.#isLeaving = true;
    this.#sender.start(now, {
      homeToken,
      careOf: this.#host.env.homeAddress,
      lifetimeSec: 0,
      offer: [],
      way: { type: "pair", local: pair.local.base, remote: pair.remote.address },
    });
  }

  takeAcknowledgement(
    now: InstantMs,
    { message, header }: ReceivedMobility<MobilityMessageOf<"binding-acknowledgement">>,
  ): void {
    const { outbox } = this.#host.env;
    const outcome = this.#sender.takeAcknowledgement(now, message, header);
    switch (outcome.type) {
      case "accepted":
        if (this.#isLeaving) outbox.count("bindings.deleted");
        else this.#accept(now, outcome.sequence, outcome.lifetimeSec);
        break;
      case "rejected":
        this.#reject(now, outcome.status);
        break;
      case "expired-tokens":
        this.#renewals += 1;
        if (this.#isLeaving || this.#renewals > MAX_TOKEN_RENEWALS) this.#reject(now, outcome.status);
        else this.#renewTokens(now);
        break;
      case "ignored":
        outbox.count(`dropped.acknowledgement-${outcome.reason}`);
        break;
      case "resent":
        outbox.count("resumed.sequence");
        break;
    }
  }

  handleTimeout(now: InstantMs): void {
    const repetition = this.#sender.handleTimeout(now);
    if (repetition !== undefined && this.#isLeaving) this.#sender.stop();
    else if (repetition === "expired-tokens") this.#renewTokens(now);
    if (repetition === "in-vain" || now >= (this.#accepted?.expiresAt ?? Infinity)) this.#lose(now);
    if (this.#accepted === undefined || now < (this.#accepted.refreshAt ?? Infinity)) return;
    this.#accepted = { ...this.#accepted, refreshAt: undefined };
    this.#renewTokens(now);
  }

  pollTimeout(): InstantMs | undefined {
    return minInstant(this.#sender.pollTimeout(), this.#accepted?.expiresAt, this.#accepted?.refreshAt);
  }

  /** The lifetime limit of return routability also applies to what the peer grants (RFC 6275 section 5.2.7). */
  #accept(now: InstantMs, sequence: number, grantedSec: number): void {
    const { env, peer } = this.#host;
    const lifetimeSec = Math.min(grantedSec, MAX_RR_BINDING_LIFETIME_SEC);
    const lifetimeMs = lifetimeSec * 1000;
    this.#renewals = 0;
    this.#accepted = { lifetimeMs, refreshAt: now + lifetimeMs * REFRESH_AT_PART, expiresAt: now + lifetimeMs };
    env.outbox.emit({ type: "binding-accepted", peer, sequence, lifetimeSec });
    if (this.#pair !== undefined) this.#host.takeDirect(now, this.#pair, "outbound");
  }

  #reject(now: InstantMs, status: number): void {
    const { env, peer } = this.#host;
    env.outbox.emit({ type: "binding-rejected", peer, status });
    this.#giveUp(now);
  }

  #renewTokens(now: InstantMs): void {
    this.#isWanted = true;
    this.#offerer.refresh(now);
  }

  #giveUp(now: InstantMs): void {
    this.#sender.stop();
    this.#isWanted = false;
    this.#lose(now);
  }

  /** Data takes the home agents' path; a current update continues and may still restore the direct path. */
  #lose(now: InstantMs): void {
    this.#accepted = undefined;
    this.#host.path.release(now, "outbound");
  }
}
