/**
 * The offerer's exchange with one peer: HoTI and CoTI-ICE out, HoT and CoT-ICE back (SPEC 5 and 9, steps 8 to 12).
 *
 * Both messages leave together; each is repeated until its answer arrives, the offer byte for byte, the HoTI with a
 * new cookie (RFC 6275 section 11.8). An offer that nobody answers is given up after the longest wait; what is missing in
 * a session that works is asked for at that rate for as long as the session lives (same section). What comes out are the
 * two keygen tokens and the peer's answer.
 */

import type { InstantMs, Rng } from "../../machine.ts";
import type { IndexedToken } from "../../mip6/correspondent.ts";
import type { MessageRate } from "../../mip6/message-rate.ts";
import { COOKIE_LENGTH, encodeMobilityMessage, type MobilityMessageOf } from "../../mip6/messages.ts";
import { MESSAGE_DATA_AT } from "../../mip6/mobility-header.ts";
import type { MobilityOption } from "../../mip6/options.ts";
import { sameOctets } from "../../same-octets.ts";
import { encodeMipIce, type MipIceDescription } from "../option/mip-ice-option.ts";
import { type Backoff, type BackoffLimits, createBackoff } from "../session/backoff.ts";
import { HOME_WAY, type MobilityLink } from "../session/mobility-link.ts";

/** Where the cookie of a HoTI or CoTI-ICE is in its Mobility Header: behind two reserved octets of the message data. */
const COOKIE_AT = MESSAGE_DATA_AT + 2;
const COOKIE_END = COOKIE_AT + COOKIE_LENGTH;

/** HoTIs of one exchange that are remembered; ours: all that leave within two minutes. */
const MAX_UNANSWERED = 8;

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

/** What an exchange needs to speak. */
interface ExchangePorts {
  readonly rng: Rng;
  readonly link: MobilityLink;
  readonly rate: MessageRate;
}

/** One exchange, which begins when it is made: both messages leave, or the HoTI alone when the offer has to wait for it. */
export class OfferExchange {
  readonly #start: ExchangeStart;
  readonly #ports: ExchangePorts;
  readonly #careOfInitCookie: Uint8Array;
  #homeToken: ReceivedToken | undefined;
  #careOfToken: ReceivedToken | undefined;
  /** HoTIs that may still be answered, oldest first. */
  #homeTestInits: readonly Uint8Array[] = [];
  #careOfTestInit: Uint8Array | undefined;
  #backoff: Backoff | undefined;
  #isRefused = false;

  constructor(now: InstantMs, start: ExchangeStart, ports: ExchangePorts) {
    this.#start = start;
    this.#ports = ports;
    this.#homeToken = start.homeToken;
    this.#backoff = createBackoff(now, start.limits);
    this.#askHome(now);
    this.#careOfInitCookie = ports.rng.bytes(COOKIE_LENGTH);
    this.#offer(now);
  }

  get purpose(): OfferPurpose {
    return this.#start.purpose;
  }

  get homeToken(): ReceivedToken | undefined {
    return this.#homeToken;
  }

  get careOfToken(): ReceivedToken | undefined {
    return this.#careOfToken;
  }

  /** Takes a HoT; false when the cookie is not of this exchange or it has one already. */
  takeHomeTest(now: InstantMs, message: MobilityMessageOf<"home-test">): boolean {
    const isAnswer = this.#homeTestInits.some((header) => sameOctets(cookieOf(header), message.homeInitCookie));
    if (this.#homeToken !== undefined || !isAnswer) return false;
    this.#homeToken = { index: message.homeNonceIndex, token: message.homeKeygenToken, receivedAt: now };
    this.#homeTestInits = [];
    if (this.#start.namesHomeNonce) this.#offer(now);
    this.#settle();
    return true;
  }

  /** True when a CoT-ICE with this cookie is awaited. */
  awaitsAnswer({ careOfInitCookie }: MobilityMessageOf<"care-of-test-ice">): boolean {
    return this.#careOfToken === undefined && sameOctets(careOfInitCookie, this.#careOfInitCookie);
  }

  /** True when these octets begin a message of this exchange, at least as far as its cookie, that is unanswered. */
  awaitsAnswerTo(quoted: Uint8Array): boolean {
    const offer = this.#careOfToken === undefined && this.#careOfTestInit !== undefined ? [this.#careOfTestInit] : [];
    return [...this.#homeTestInits, ...offer].some((header) => isQuoteOf(header, quoted));
  }

  /** Notes the token of a CoT-ICE whose option is good; repetition of the offer ends. */
  takeAnswer(now: InstantMs, message: MobilityMessageOf<"care-of-test-ice">): void {
    this.#careOfToken = { index: message.careOfNonceIndex, token: message.careOfKeygenToken, receivedAt: now };
    this.#settle();
  }

  /**
   * Notes that the peer does not know the offer. Whoever says so proves nothing, so an answer may still come in place of
   * the next repetition.
   */
  refuse(): void {
    this.#isRefused = true;
  }

  /** Repeats what is unanswered; tells when that is an offer and there is no more hope for it. */
  handleTimeout(now: InstantMs): "refused" | "unanswered" | undefined {
    const { limits } = this.#start;
    const due = this.#backoff?.poll(now);
    if (due !== undefined && this.#isRefused && this.#careOfToken === undefined) return "refused";
    if (due === "give-up")
      this.#backoff = this.#isDispensable ? undefined : createBackoff(now, { ...limits, firstMs: limits.maxMs });
    if (due === undefined) return undefined;
    if (this.#backoff === undefined) return "unanswered";
    this.#askHome(now);
    this.#offer(now);
    return undefined;
  }

  pollTimeout(): InstantMs | undefined {
    return this.#backoff?.dueAt;
  }

  /** An offer that nobody answers; a session that works goes on asking for its tokens at the slowest rate. */
  get #isDispensable(): boolean {
    return this.purpose !== "refresh" && this.#careOfToken === undefined;
  }

  /** Each HoTI has a cookie of its own; the answer to an earlier one is as good. */
  #askHome(now: InstantMs): void {
    const { rng, link, rate } = this.#ports;
    if (this.#homeToken !== undefined || !rate.admits(now, "home-test-init")) return;
    const homeInitCookie = rng.bytes(COOKIE_LENGTH);
    const header = link.send(this.#start.peer, { type: "home-test-init", homeInitCookie, options: [] }, HOME_WAY);
    this.#homeTestInits = [...this.#homeTestInits, header].slice(-MAX_UNANSWERED);
  }

  /** The same octets each time, so that the peer can give the same answer. */
  #offer(now: InstantMs): void {
    const { link, rate } = this.#ports;
    const { peer, namesHomeNonce } = this.#start;
    if (this.#careOfToken !== undefined || (namesHomeNonce && this.#homeToken === undefined)) return;
    this.#careOfTestInit ??= encodeMobilityMessage(
      {
        type: "care-of-test-init-ice",
        careOfInitCookie: this.#careOfInitCookie,
        options: offerOptions(this.#start, this.#homeToken),
      },
      link.endpointsTo(peer),
    );
    if (rate.admits(now, "care-of-test-init-ice")) link.sendHeader(peer, this.#careOfTestInit, HOME_WAY);
  }

  #settle(): void {
    if (this.#homeToken !== undefined && this.#careOfToken !== undefined) this.#backoff = undefined;
  }
}

/** What a CoTI-ICE carries; in its Nonce Indices there is no care-of nonce yet. */
function offerOptions({ namesHomeNonce, description }: ExchangeStart, homeToken?: IndexedToken): MobilityOption[] {
  const offer = encodeMipIce(description);
  if (!namesHomeNonce || homeToken === undefined) return offer;
  return [{ type: "nonce-indices", home: homeToken.index, careOf: 0 }, ...offer];
}

function cookieOf(header: Uint8Array): Uint8Array {
  return header.subarray(COOKIE_AT, COOKIE_END);
}

/** A quote without the whole cookie could have been made by somebody who has seen nothing. */
function isQuoteOf(header: Uint8Array, quoted: Uint8Array): boolean {
  return quoted.length >= COOKIE_END && sameOctets(header.subarray(0, quoted.length), quoted);
}
