/** The offerer's side of a session: gathers, offers, takes the answer (digest 8.6 "MN on CoT-ICE"; ). */

import { candidateView, type LocalCandidate } from "../ice/candidate.ts";
import type { InstantMs } from "../machine.ts";
import type { MobilityMessageOf } from "../mip6/messages.ts";
import { createGeneration, describeGeneration, setRemote } from "./generation.ts";
import { decodeMipIce, type MipIceDescription } from "./mip-ice-option.ts";
import { type OfferExchange, type OfferPurpose, type ReceivedToken, startOfferExchange } from "./offer-exchange.ts";
import type { SessionHost } from "./session-host.ts";

/** Both keygen tokens of the latest exchange, fresh enough for a Binding Update. */
export interface TokenPair {
  readonly homeToken: ReceivedToken;
  readonly careOfToken: ReceivedToken;
}

export interface Offerer {
  /** What is being offered: from the start of gathering until the answer. */
  readonly offering: OfferPurpose | undefined;
  /** When an offer of this node was last answered. */
  readonly answeredAt: InstantMs | undefined;
  /** Makes a new generation and offers it. */
  offer(now: InstantMs, purpose: Exclude<OfferPurpose, "refresh">): void;
  /** Asks for fresh tokens and says nothing new. */
  refresh(now: InstantMs): void;
  /** Gives way to the peer's crossing offer, or ends with the session. */
  abandon(): void;
  tokens(now: InstantMs): TokenPair | undefined;
  takeHomeTest(now: InstantMs, message: MobilityMessageOf<"home-test">): void;
  takeAnswer(now: InstantMs, message: MobilityMessageOf<"care-of-test-ice">): void;
  /** The peer's stack does not know CoTI-ICE (Binding Error of status 2, A-21). */
  takeUnknownMessageError(): void;
  handleTimeout(now: InstantMs): void;
  pollTimeout(): InstantMs | undefined;
}

export function createOfferer(host: SessionHost): Offerer {
  const { peer, env } = host;
  const { timers, outbox } = env;
  let gathering: { readonly purpose: OfferPurpose; readonly stop: () => void } | undefined;
  let exchange: OfferExchange | undefined;
  let answeredAt: InstantMs | undefined;

  const freshHomeToken = (now: InstantMs): ReceivedToken | undefined => {
    const token = exchange?.homeToken;
    return token !== undefined && isFresh(now, token, timers.tokenLifetimeMs / 2) ? token : undefined;
  };
  const begin = (now: InstantMs, purpose: OfferPurpose, description: MipIceDescription): void => {
    // Half of a token's life is left for the exchange and the Binding Update that follow.
    const homeToken = purpose === "restart" ? freshHomeToken(now) : undefined;
    const limits = { firstMs: timers.mobilityFirstTimeoutMs, maxMs: timers.mobilityMaxTimeoutMs };
    exchange = startOfferExchange(
      now,
      { purpose, peer, description, limits, ...(homeToken && { homeToken }) },
      env.rng,
      env.link,
    );
    const candidates = description.candidates.map(candidateView);
    outbox.emit({ type: "offer-sent", peer, candidates, isRestart: purpose === "restart" });
  };
  const sendOffer = (now: InstantMs, purpose: OfferPurpose, candidates: readonly LocalCandidate[]): void => {
    gathering = undefined;
    const generation = createGeneration(now, "offer", candidates, env);
    host.adopt(generation);
    begin(now, purpose, describeGeneration(generation, "offer"));
  };
  const takeDescription = (now: InstantMs, description: MipIceDescription): void => {
    const { generation } = host;
    const candidates = description.candidates.map(candidateView);
    outbox.emit({ type: "answer-received", peer, candidates });
    if (description.isMismatch) return host.fail("the peer found no home address in the offer (ice-mismatch)");
    host.remoteCredentials = description.credentials;
    if (generation !== undefined && exchange?.purpose !== "refresh") setRemote(now, generation, description);
  };

  return {
    get offering() {
      return gathering?.purpose ?? (exchange !== undefined && isUnanswered(exchange) ? exchange.purpose : undefined);
    },
    get answeredAt() {
      return answeredAt;
    },
    offer(now, purpose) {
      gathering?.stop();
      const stop = env.gather(now, peer, (at, candidates) => sendOffer(at, purpose, candidates));
      gathering = { purpose, stop };
    },
    refresh(now) {
      if (host.generation !== undefined) begin(now, "refresh", describeGeneration(host.generation, "offer"));
    },
    abandon() {
      gathering?.stop();
      gathering = undefined;
      exchange = undefined;
    },
    tokens(now) {
      const { homeToken, careOfToken } = exchange ?? {};
      if (homeToken === undefined || careOfToken === undefined) return undefined;
      const areFresh = [homeToken, careOfToken].every((token) => isFresh(now, token, timers.tokenLifetimeMs));
      return areFresh ? { homeToken, careOfToken } : undefined;
    },
    takeHomeTest(now, message) {
      if (exchange?.takeHomeTest(now, message) !== true) outbox.count("dropped.home-test-unexpected");
    },
    takeAnswer(now, message) {
      if (exchange?.awaitsAnswer(message) !== true) return outbox.count("dropped.answer-unexpected");
      const received = decodeMipIce(message.options);
      if (!received.ok) return outbox.count(`dropped.${received.error.code}`);
      if (received.value === undefined) return outbox.count("dropped.answer-without-mip-ice");
      exchange.takeAnswer(now, message);
      answeredAt = now;
      takeDescription(now, received.value.description);
    },
    takeUnknownMessageError() {
      if (exchange === undefined || !isUnanswered(exchange)) return outbox.count("dropped.binding-error-unexpected");
      exchange = undefined;
      host.fail("the peer does not know CoTI-ICE");
    },
    handleTimeout(now) {
      if (exchange?.handleTimeout(now) !== true) return;
      const { purpose } = exchange;
      if (isUnanswered(exchange) && purpose !== "refresh") host.fail("the peer did not answer the offer");
      else outbox.count("gave-up.tokens");
    },
    pollTimeout: () => exchange?.pollTimeout(),
  };
}

function isUnanswered(exchange: OfferExchange): boolean {
  return exchange.careOfToken === undefined && exchange.pollTimeout() !== undefined;
}

function isFresh(now: InstantMs, token: ReceivedToken, lifetimeMs: number): boolean {
  return now - token.receivedAt < lifetimeMs;
}
