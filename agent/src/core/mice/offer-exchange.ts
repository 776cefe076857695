/**
 * The offerer's exchange with one peer: HoTI and CoTI-ICE out, HoT and CoT-ICE back (digest 5 and 9, steps 8 to 12).
 *
 * Both messages leave together; each is repeated byte for byte until its answer arrives. An offer that nobody answers is
 * given up after the longest wait; what is missing in a session that works is asked for at that rate for as long as the
 * session lives (RFC 6275 section 11.8). What comes out are the two keygen tokens and the peer's answer.
 */

import type { InstantMs, Rng } from "../machine.ts";
import { COOKIE_LENGTH, type MobilityMessageOf } from "../mip6/messages.ts";
import { MESSAGE_DATA_AT } from "../mip6/mobility-header.ts";
import type { MobilityOption } from "../mip6/options.ts";
import { type Backoff, type BackoffLimits, createBackoff } from "./backoff.ts";
import type { IndexedToken } from "./correspondent.ts";
import { encodeMipIce, type MipIceDescription } from "./mip-ice-option.ts";
import { HOME_WAY, type MobilityLink } from "./mobility-link.ts";
import { sameOctets } from "./same-octets.ts";

/** Octets of HoTI and CoTI-ICE up to the end of their cookies, which follow two reserved octets of the message data. */
const COOKIE_END = MESSAGE_DATA_AT + 2 + COOKIE_LENGTH;

/** Why the offerer speaks: a first offer, an ICE restart, or fresh tokens for the binding it has. */
export type OfferPurpose = "initial" | "restart" | "refresh";

/** A keygen token and when it was made, as far as the offerer knows. */
export interface ReceivedToken extends IndexedToken {
  readonly receivedAt: InstantMs;
}

/** Whether a token is younger than `lifetimeMs`. */
export function isFresh(now: InstantMs, { receivedAt }: ReceivedToken, lifetimeMs: number): boolean {
  return now - receivedAt < lifetimeMs;
}

export interface OfferExchange {
  readonly purpose: OfferPurpose;
  readonly homeToken: ReceivedToken | undefined;
  readonly careOfToken: ReceivedToken | undefined;
  /** Takes a HoT; false when the cookie is not of this exchange or it has one already. */
  takeHomeTest(now: InstantMs, message: MobilityMessageOf<"home-test">): boolean;
  /** True when a CoT-ICE with this cookie is awaited. */
  awaitsAnswer(message: MobilityMessageOf<"care-of-test-ice">): boolean;
  /** True when these octets begin a message of this exchange, at least as far as its cookie, that is unanswered. */
  awaitsAnswerTo(quoted: Uint8Array): boolean;
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
  const { purpose, peer, namesHomeNonce, limits } = exchange;
  const homeInitCookie = rng.bytes(COOKIE_LENGTH);
  const careOfInitCookie = rng.bytes(COOKIE_LENGTH);
  let { homeToken } = exchange;
  let careOfToken: ReceivedToken | undefined;

  /** Messages that are still unanswered. */
  let homeTestInit: Uint8Array | undefined;
  let careOfTestInit: Uint8Array | undefined;
  if (homeToken === undefined)
    homeTestInit = link.send(peer, { type: "home-test-init", homeInitCookie, options: [] }, HOME_WAY);
  const offer = (): void => {
    const options = offerOptions(exchange, homeToken);
    careOfTestInit = link.send(peer, { type: "care-of-test-init-ice", careOfInitCookie, options }, HOME_WAY);
  };
  if (!namesHomeNonce || homeToken !== undefined) offer();
  let backoff: Backoff | undefined = createBackoff(now, limits);

  /** An offer that nobody answers; a session that works goes on asking for its tokens at the slowest rate. */
  const isDispensable = (): boolean => purpose !== "refresh" && careOfToken === undefined;
  const unanswered = () => [homeTestInit, careOfTestInit].filter((header) => header !== undefined);
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
      homeTestInit = undefined;
      if (namesHomeNonce) offer();
      settle();
      return true;
    },
    awaitsAnswer: (message) => careOfToken === undefined && sameOctets(message.careOfInitCookie, careOfInitCookie),
    awaitsAnswerTo: (quoted) => unanswered().some((header) => isQuoteOf(header, quoted)),
    takeAnswer(at, message) {
      careOfToken = { index: message.careOfNonceIndex, token: message.careOfKeygenToken, receivedAt: at };
      careOfTestInit = undefined;
      settle();
    },
    handleTimeout(at) {
      const due = backoff?.poll(at);
      if (due === "give-up")
        backoff = isDispensable() ? undefined : createBackoff(at, { ...limits, firstMs: limits.maxMs });
      if (due === undefined || backoff === undefined) return due === "give-up";
      for (const header of unanswered()) link.sendHeader(peer, header, HOME_WAY);
      return false;
    },
    pollTimeout: () => backoff?.dueAt,
  };
}

/** What a CoTI-ICE carries; in its Nonce Indices there is no care-of nonce yet. */
function offerOptions({ namesHomeNonce, description }: ExchangeStart, homeToken?: IndexedToken): MobilityOption[] {
  const offer = encodeMipIce(description);
  if (!namesHomeNonce || homeToken === undefined) return offer;
  return [{ type: "nonce-indices", home: homeToken.index, careOf: 0 }, ...offer];
}

/** A quote without the whole cookie could have been made by somebody who has seen nothing. */
function isQuoteOf(header: Uint8Array, quoted: Uint8Array): boolean {
  return quoted.length >= COOKIE_END && sameOctets(header.subarray(0, quoted.length), quoted);
}
