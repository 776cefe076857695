/**
 * The offerer's exchange with one peer: sends HoTI and CoTI-ICE, receives HoT and CoT-ICE (SPEC 5 and 9, steps 8 to
 * 12).
 *
 * Both messages are sent together. Each is repeated until it is answered: the offer with the same octets, the
 * HoTI with a new cookie (RFC 6275 section 11.8). An unanswered offer is given up after the longest interval; in a
 * session that works, missing tokens are requested at that interval while the session lasts (same section). The results
 * are the two keygen tokens and the peer's answer.
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

/** Offset of the cookie of a HoTI or CoTI-ICE in its Mobility Header: after two reserved octets of message data. */
const COOKIE_AT = MESSAGE_DATA_AT + 2;
const COOKIE_END = COOKIE_AT + COOKIE_LENGTH;

/** Maximum remembered HoTIs of one exchange; profile: all that are sent within two minutes. */
const MAX_UNANSWERED = 8;

/** Purpose of an exchange: a first offer, an ICE restart, or fresh tokens for the binding. */
export type OfferPurpose = "initial" | "restart" | "refresh";

/** A keygen token, and when it was requested. */
export interface ReceivedToken extends IndexedToken {
  readonly receivedAt: InstantMs;
}

/** Whether a token is younger than `lifetimeMs`. */
export function isFresh(now: InstantMs, { receivedAt }: ReceivedToken, lifetimeMs: number): boolean {
  return now - receivedAt < lifetimeMs;
}

/** Start of an exchange. */
interface ExchangeStart {
  readonly purpose: OfferPurpose;
  readonly peer: string;
  readonly description: MipIceDescription;
  /** Token of an earlier exchange, still fresh: saves the HoTI. */
  readonly homeToken?: ReceivedToken;
  /** The offer contains the home nonce index, and therefore waits for the HoT. */
  readonly namesHomeNonce: boolean;
  readonly limits: BackoffLimits;
}

/** Outputs and inputs of an exchange. */
interface ExchangePorts {
  readonly rng: Rng;
  readonly link: MobilityLink;
  readonly rate: MessageRate;
}

/**
 * One exchange, which starts on construction: both messages are sent, or only the HoTI when the offer waits for the
 * HoT.
 */
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

  /** Takes a HoT; false for a cookie of another exchange, or when there is a home token already. */
  takeHomeTest(now: InstantMs, message: MobilityMessageOf<"home-test">): boolean {
    const isAnswer = this.#homeTestInits.some((header) => sameOctets(cookieOf(header), message.homeInitCookie));
    if (this.#homeToken !== undefined || !isAnswer) return false;
    this.#homeToken = { index: message.homeNonceIndex, token: message.homeKeygenToken, receivedAt: now };
    this.#homeTestInits = [];
    if (this.#start.namesHomeNonce) this.#offer(now);
    this.#settle();
    return true;
  }

  /** True when a CoT-ICE with this cookie is expected. */
  awaitsAnswer({ careOfInitCookie }: MobilityMessageOf<"care-of-test-ice">): boolean {
    return this.#careOfToken === undefined && sameOctets(careOfInitCookie, this.#careOfInitCookie);
  }

  /** True when these octets begin an unanswered message of this exchange, at least up to its cookie. */
  awaitsAnswerTo(quoted: Uint8Array): boolean {
    const offer = this.#careOfToken === undefined && this.#careOfTestInit !== undefined ? [this.#careOfTestInit] : [];
    return [...this.#homeTestInits, ...offer].some((header) => isQuoteOf(header, quoted));
  }

  /** Stores the token of a CoT-ICE with a valid option; repetition of the offer ends. */
  takeAnswer(now: InstantMs, message: MobilityMessageOf<"care-of-test-ice">): void {
    this.#careOfToken = { index: message.careOfNonceIndex, token: message.careOfKeygenToken, receivedAt: now };
    this.#settle();
  }

  /**
   * The peer does not support the offer. The error is not authenticated, so an answer before the next repetition still
   * counts.
   */
  refuse(): void {
    this.#isRefused = true;
  }

  /** Repeats unanswered messages; returns the reason when the offer is given up. */
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

  /** An unanswered offer is given up; a session that works continues to request its tokens at the longest interval. */
  get #isDispensable(): boolean {
    return this.purpose !== "refresh" && this.#careOfToken === undefined;
  }

  /** Each HoTI has its own cookie; answers to earlier ones count too. */
  #askHome(now: InstantMs): void {
    const { rng, link, rate } = this.#ports;
    if (this.#homeToken !== undefined || !rate.admits(now, "home-test-init")) return;
    const homeInitCookie = rng.bytes(COOKIE_LENGTH);
    const header = link.send(this.#start.peer, { type: "home-test-init", homeInitCookie, options: [] }, HOME_WAY);
    this.#homeTestInits = [...this.#homeTestInits, header].slice(-MAX_UNANSWERED);
  }

  /** The same octets each time, so that the peer can send the same answer. */
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

/** Options of a CoTI-ICE; its Nonce Indices contain no care-of nonce yet. */
function offerOptions({ namesHomeNonce, description }: ExchangeStart, homeToken?: IndexedToken): MobilityOption[] {
  const offer = encodeMipIce(description);
  if (!namesHomeNonce || homeToken === undefined) return offer;
  return [{ type: "nonce-indices", home: homeToken.index, careOf: 0 }, ...offer];
}

function cookieOf(header: Uint8Array): Uint8Array {
  return header.subarray(COOKIE_AT, COOKIE_END);
}

/** A quote without the complete cookie could be forged by a node that has not seen the message. */
function isQuoteOf(header: Uint8Array, quoted: Uint8Array): boolean {
  return quoted.length >= COOKIE_END && sameOctets(header.subarray(0, quoted.length), quoted);
}
