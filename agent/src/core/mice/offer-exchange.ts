/**
 * The offerer's exchange with one peer: HoTI and CoTI-ICE out, HoT and CoT-ICE back (digest 5 and 9, steps 8 to 12).
 *
 * Both messages leave together; each is repeated byte for byte until its answer arrives. An offer that nobody answers is
 * given up after the longest wait; what is missing in a session that works is asked for at that rate for as long as the
 * session lives (RFC 6275 section 11.8). What comes out are the two keygen tokens and the peer's answer.
 */

import type { InstantMs, Rng } from "../machine.ts";
import { COOKIE_LENGTH, type MobilityMessageOf } from "../mip6/messages.ts";
import type { MobilityOption } from "../mip6/options.ts";
import { type Backoff, type BackoffLimits, createBackoff } from "./backoff.ts";
import type { IndexedToken } from "./correspondent.ts";
import { encodeMipIce, type MipIceDescription } from "./mip-ice-option.ts";
import { HOME_WAY, type MobilityLink } from "./mobility-link.ts";
import { sameOctets } from "./same-octets.ts";

/** Why the offerer speaks: a first offer, an ICE restart, or fresh tokens for the binding it has. */
export type OfferPurpose = "initial" | "restart" | "refresh";

/** A keygen token and when it was made, as far as the offerer knows. */
export interface ReceivedToken extends IndexedToken {
  readonly receivedAt: InstantMs;
}

export interface OfferExchange {
  readonly purpose: OfferPurpose;
  readonly homeToken: ReceivedToken | undefined;
  readonly careOfToken: ReceivedToken | undefined;
  /** Takes a HoT; false when the cookie is not of this exchange or it has one already. */
  takeHomeTest(now: InstantMs, message: MobilityMessageOf<"home-test">): boolean;
  /** True when a CoT-ICE with this cookie is awaited. */
  awaitsAnswer(message: MobilityMessageOf<"care-of-test-ice">): boolean;
  /** Notes the token of a CoT-ICE whose option is good; repetition of the offer ends. */
  takeAnswer(now: InstantMs, message: MobilityMessageOf<"care-of-test-ice">): void;
  /** Repeats what is unanswered; true when nobody answered the offer. */
  handleTimeout(now: InstantMs): boolean;
  pollTimeout(): InstantMs | undefined;
}

/** What an exchange is about. */
interface ExchangeStart {
  readonly purpose: OfferPurpose;
  readonly peer: string;
  readonly description: MipIceDescription;
  /** Of an earlier exchange and still fresh: saves the HoTI. */
  readonly homeToken?: ReceivedToken;
  /** The offer names the home nonce, and waits for the HoT therefore. */
  readonly namesHomeNonce: boolean;
  readonly limits: BackoffLimits;
}

/** Sends both messages, or first the HoTI alone. */
export function startOfferExchange(
  now: InstantMs,
  exchange: ExchangeStart,
  rng: Rng,
  link: MobilityLink,
): OfferExchange {
  const { purpose, peer, description, namesHomeNonce, limits } = exchange;
  const homeInitCookie = rng.bytes(COOKIE_LENGTH);
  const careOfInitCookie = rng.bytes(COOKIE_LENGTH);
  let { homeToken } = exchange;
  let careOfToken: ReceivedToken | undefined;

  const homeTestInit =
    homeToken === undefined
      ? link.send(peer, { type: "home-test-init", homeInitCookie, options: [] }, HOME_WAY)
      : undefined;
  let careOfTestInit: Uint8Array | undefined;
  const offer = (): void => {
    const nonce = namesHomeNonce && homeToken !== undefined ? [homeNonceOption(homeToken)] : [];
    const options = [...nonce, ...encodeMipIce(description)];
    careOfTestInit = link.send(peer, { type: "care-of-test-init-ice", careOfInitCookie, options }, HOME_WAY);
  };
  if (!namesHomeNonce || homeToken !== undefined) offer();
  let backoff: Backoff | undefined = createBackoff(now, limits);

  /** An offer that nobody answers; a session that works goes on asking for its tokens at the slowest rate. */
  const isDispensable = (): boolean => purpose !== "refresh" && careOfToken === undefined;
  const settle = (): void => {
    if (homeToken !== undefined && careOfToken !== undefined) backoff = undefined;
  };
  return {
    purpose,
    get homeToken() {
      return homeToken;
    },
    get careOfToken() {
      return careOfToken;
    },
    takeHomeTest(at, message) {
      if (homeToken !== undefined || !sameOctets(message.homeInitCookie, homeInitCookie)) return false;
      homeToken = { index: message.homeNonceIndex, token: message.homeKeygenToken, receivedAt: at };
      if (careOfTestInit === undefined) offer();
      settle();
      return true;
    },
    awaitsAnswer: (message) => careOfToken === undefined && sameOctets(message.careOfInitCookie, careOfInitCookie),
    takeAnswer(at, message) {
      careOfToken = { index: message.careOfNonceIndex, token: message.careOfKeygenToken, receivedAt: at };
      settle();
    },
    handleTimeout(at) {
      const due = backoff?.poll(at);
      if (due === "give-up")
        backoff = isDispensable() ? undefined : createBackoff(at, { ...limits, firstMs: limits.maxMs });
      if (due === undefined || backoff === undefined) return due === "give-up";
      if (homeToken === undefined && homeTestInit !== undefined) link.sendHeader(peer, homeTestInit, HOME_WAY);
      if (careOfToken === undefined && careOfTestInit !== undefined) link.sendHeader(peer, careOfTestInit, HOME_WAY);
      return false;
    },
    pollTimeout: () => backoff?.dueAt,
  };
}

/** Nonce Indices of a CoTI-ICE: there is no care-of nonce yet. */
function homeNonceOption({ index }: IndexedToken): MobilityOption {
  return { type: "nonce-indices", home: index, careOf: 0 };
}
