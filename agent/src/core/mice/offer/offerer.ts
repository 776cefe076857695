/** The offerer's side of a session: gathers, offers, receives the answer (SPEC 8.6 "CoT-ICE"; ). */

import { candidateView, type LocalCandidate } from "../../ice/candidate.ts";
import type { InstantMs } from "../../machine.ts";
import type { MobilityMessageOf } from "../../mip6/messages.ts";
import { bindingManagementKey } from "../../mip6/return-routability.ts";
import { decodeMipIce, type MipIceDescription } from "../option/mip-ice-option.ts";
import {
  createGeneration,
  describeGeneration,
  type Generation,
  setPassword,
  setRemote,
} from "../session/generation.ts";
import { derivedPassword, describeKeyMismatch, keyModeOf } from "../session/key-mode.ts";
import type { SessionHost } from "../session/session-host.ts";
import { isFresh, OfferExchange, type OfferPurpose, type ReceivedToken } from "./offer-exchange.ts";

/** Both keygen tokens of the latest exchange, fresh enough for a Binding Update. */
export interface TokenPair {
  readonly homeToken: ReceivedToken;
  readonly careOfToken: ReceivedToken;
}

/** One exchange at a time; a later one replaces it. */
export class Offerer {
  readonly #host: SessionHost;
  #gathering: { readonly purpose: OfferPurpose; readonly stop: () => void } | undefined;
  #exchange: OfferExchange | undefined;
  #answeredAt: InstantMs | undefined;
  #offeredAt: InstantMs = 0;

  constructor(host: SessionHost) {
    this.#host = host;
  }

  /** The current offer: from the start of gathering until the answer. */
  get offering(): OfferPurpose | undefined {
    if (this.#gathering !== undefined) return this.#gathering.purpose;
    return this.#exchange !== undefined && isUnanswered(this.#exchange) ? this.#exchange.purpose : undefined;
  }

  /** When an offer of this node was last answered. */
  get answeredAt(): InstantMs | undefined {
    return this.#answeredAt;
  }

  /** Gathers candidates for a new generation and offers it. */
  offer(now: InstantMs, purpose: Exclude<OfferPurpose, "refresh">): void {
    this.#gathering?.stop();
    const stop = this.#host.gather(now, (at, candidates) => this.#sendOffer(at, purpose, candidates, stop));
    this.#gathering = { purpose, stop };
  }

  /** Requests fresh tokens with unchanged credentials. */
  refresh(now: InstantMs): void {
    const { generation } = this.#host;
    if (generation !== undefined) this.#begin(now, "refresh", describeGeneration(generation, "offer"));
  }

  /** Withdraws the offer in favour of the peer's crossing one, or ends with the session. */
  abandon(): void {
    this.#gathering?.stop();
    this.#gathering = undefined;
    this.#exchange = undefined;
  }

  tokens(now: InstantMs): TokenPair | undefined {
    const { homeToken, careOfToken } = this.#exchange ?? {};
    if (homeToken === undefined || careOfToken === undefined) return undefined;
    const { tokenLifetimeMs } = this.#host.env.timers;
    const areFresh = [homeToken, careOfToken].every((token) => isFresh(now, token, tokenLifetimeMs));
    return areFresh ? { homeToken, careOfToken } : undefined;
  }

  /** The home token alone, while it is valid: for deleting a binding. */
  homeToken(now: InstantMs): ReceivedToken | undefined {
    const token = this.#exchange?.homeToken;
    return token !== undefined && isFresh(now, token, this.#host.env.timers.tokenLifetimeMs) ? token : undefined;
  }

  takeHomeTest(now: InstantMs, message: MobilityMessageOf<"home-test">): void {
    if (this.#exchange?.takeHomeTest(now, message) !== true) this.#count("dropped.home-test-unexpected");
  }

  takeAnswer(now: InstantMs, message: MobilityMessageOf<"care-of-test-ice">): void {
    if (this.#exchange?.awaitsAnswer(message) !== true) {
      this.#count("dropped.answer-unexpected");
      return;
    }
    const received = decodeMipIce(message.options);
    if (!received.ok) this.#count(`dropped.${received.error.code}`);
    else if (received.value === undefined) this.#count("dropped.answer-without-mip-ice");
    else {
      this.#exchange.takeAnswer(now, message);
      this.#answeredAt = now;
      this.#takeDescription(now, received.value.description, this.#exchange.purpose);
    }
  }

  /** A Binding Error of status 2: the peer does not support CoTI-ICE. Not authenticated. */
  takeRefusal(): void {
    if (this.#exchange === undefined || !isUnanswered(this.#exchange)) this.#count("dropped.refusal-unexpected");
    else this.#exchange.refuse();
  }

  /** The peer does not support Mobility Headers; accepted only with a quote of an unanswered message. */
  takeHeaderRefusal(now: InstantMs, quoted: Uint8Array): void {
    if (this.#exchange === undefined || !isUnanswered(this.#exchange)) this.#count("dropped.refusal-unexpected");
    else if (!this.#exchange.awaitsAnswerTo(quoted)) this.#count("dropped.refusal-of-nothing-sent");
    else this.#endRefused(now, "the peer knows no Mobile IPv6");
  }

  handleTimeout(now: InstantMs): void {
    const hopeless = this.#exchange?.handleTimeout(now);
    if (hopeless === "unanswered") this.#host.fail(now, "the peer did not answer the offer");
    else if (hopeless === "refused") this.#endRefused(now, "the peer does not know CoTI-ICE");
  }

  pollTimeout(): InstantMs | undefined {
    return this.#exchange?.pollTimeout();
  }

  #endRefused(now: InstantMs, reason: string): void {
    this.#exchange = undefined;
    this.#host.fail(now, reason);
  }

  #sendOffer(
    now: InstantMs,
    purpose: OfferPurpose,
    candidates: readonly LocalCandidate[],
    releaseCandidates: () => void,
  ): void {
    this.#gathering = undefined;
    const generation = createGeneration(
      { startedAt: now, origin: "offer", candidates, releaseCandidates },
      this.#host.env,
    );
    this.#host.adopt(now, generation);
    this.#begin(now, purpose, describeGeneration(generation, "offer"));
  }

  #begin(now: InstantMs, purpose: OfferPurpose, description: MipIceDescription): void {
    const { env, peer, rate } = this.#host;
    const { mobilityFirstTimeoutMs: firstMs, mobilityMaxTimeoutMs: maxMs } = env.timers;
    const homeToken = purpose === "restart" ? this.#reusableHomeToken(now) : undefined;
    const namesHomeNonce = env.keys === "rr" && purpose !== "refresh";
    const limits = { firstMs, maxMs };
    const start = { purpose, peer, description, namesHomeNonce, limits, ...(homeToken && { homeToken }) };
    this.#offeredAt = now;
    this.#exchange = new OfferExchange(now, start, { rng: env.rng, link: env.link, rate });
    const candidates = description.candidates.map(candidateView);
    env.outbox.emit({ type: "offer-sent", peer, candidates, isRestart: purpose === "restart" });
  }

  /** After a move the home token is reused (SPEC 3.4); half of its lifetime is left for what follows. */
  #reusableHomeToken(now: InstantMs): ReceivedToken | undefined {
    const token = this.#exchange?.homeToken;
    const { tokenLifetimeMs } = this.#host.env.timers;
    return token !== undefined && isFresh(now, token, tokenLifetimeMs / 2) ? token : undefined;
  }

  #takeDescription(now: InstantMs, description: MipIceDescription, purpose: OfferPurpose): void {
    const { generation, env, peer } = this.#host;
    env.outbox.emit({ type: "answer-received", peer, candidates: description.candidates.map(candidateView) });
    if (keyModeOf(description) !== env.keys) {
      this.#host.fail(now, describeKeyMismatch(env.keys, keyModeOf(description)));
      return;
    }
    if (description.isMismatch) {
      this.#host.fail(now, "the peer found no home address in the offer (ice-mismatch)");
      return;
    }
    this.#host.remoteCredentials = description.credentials;
    if (generation === undefined || purpose === "refresh") return;
    setRemote(now, generation, env.keys === "rr" ? this.#withKeys(generation, description) : description);
  }

  /** Both tokens are present, because this offer had to wait for the first. */
  #withKeys(generation: Generation, description: MipIceDescription): MipIceDescription {
    const { homeToken, careOfToken } = this.#exchange ?? {};
    if (homeToken === undefined || careOfToken === undefined) throw new Error("an answer without an offer");
    const kbm = bindingManagementKey(homeToken.token, careOfToken.token);
    const { ufrag } = description.credentials;
    const ufrags = { offer: generation.credentials.ufrag, answer: ufrag };
    setPassword(this.#offeredAt, generation, derivedPassword(kbm, "offer", ufrags), this.#host.env);
    return { ...description, credentials: { ufrag, pwd: derivedPassword(kbm, "answer", ufrags) } };
  }

  #count(name: string): void {
    this.#host.env.outbox.count(name);
  }
}

function isUnanswered(exchange: OfferExchange): boolean {
  return exchange.careOfToken === undefined && exchange.pollTimeout() !== undefined;
}
