/**
 * The answerer's side of a session: validates offers in the order of SPEC 8.6, gathers, answers. Crossing offers: A-29;
 * repeated ones: A-33; offers without the home address: A-20; refreshes of a binding: A-34; restarts: A-32.
 */

import { addressToBytes } from "../../address.ts";
import { candidateView } from "../../ice/candidate.ts";
import type { IceCredentials } from "../../ice/ice-machine.ts";
import { withinReach } from "../../ice/usefulness.ts";
import type { InstantMs } from "../../machine.ts";
import type { IndexedToken } from "../../mip6/correspondent.ts";
import type { MobilityMessageOf } from "../../mip6/messages.ts";
import { findOption } from "../../mip6/options.ts";
import { makeCredentials } from "../option/mip-ice-credentials.ts";
import { decodeMipIce, encodeMipIce, MISMATCH_ANSWER, type MipIceDescription } from "../option/mip-ice-option.ts";
import { createGeneration, describeGeneration, listsCandidate, setRemote } from "../session/generation.ts";
import { derivedPassword, describeKeyMismatch, keyModeOf, keyModeOptions } from "../session/key-mode.ts";
import { HOME_WAY } from "../session/mobility-link.ts";
import type { SessionHost } from "../session/session-host.ts";
import { AnswerBook } from "./answer-book.ts";
import type { Offerer } from "./offerer.ts";

type CareOfTestInitIce = MobilityMessageOf<"care-of-test-init-ice">;

/** An offer's credentials compared with the last ones of the peer. */
type OfferKind = "first" | "restart" | "refresh" | "half-changed";

/** An offer compared with this node's: no crossing, a crossing that it loses, or a straggler of one. */
type Crossing = "none" | "loses" | "straggles";

/**
 * How long after an answer the first copy of a further offer counts as a straggler of crossing offers, which the peer
 * gave up when it answered. It was sent before the answer, so it arrives later only with reordering. A real restart so
 * soon is repeated after a second, and then accepted.
 */
const STRAGGLER_WINDOW_MS = 500;

/** Answers every offer of the peer, or counts why not. */
export class Answerer {
  readonly #host: SessionHost;
  readonly #offerer: Offerer;
  readonly #book = new AnswerBook();
  #gathering: { readonly cookie: Uint8Array; readonly stop: () => void } | undefined;

  constructor(host: SessionHost, offerer: Offerer) {
    this.#host = host;
    this.#offerer = offerer;
  }

  /** Candidates for an answer are being gathered. */
  get isAnswering(): boolean {
    return this.#gathering !== undefined;
  }

  takeOffer(now: InstantMs, offer: CareOfTestInitIce): void {
    const known = this.#book.find(offer.careOfInitCookie);
    if (known?.type === "answered") {
      this.#host.env.link.sendHeader(this.#host.peer, known.header, HOME_WAY);
      return;
    }
    if (known?.type === "pending" || known?.type === "lost") {
      this.#count("ignored.offer-repeated");
      return;
    }
    const received = decodeMipIce(offer.options);
    if (!received.ok) this.#count(`dropped.${received.error.code}`);
    else if (received.value === undefined) this.#count("dropped.offer-without-mip-ice");
    else this.#takeDescription(now, offer, received.value.description);
  }

  /** Ends gathering and answering, because this node offers. */
  abandon(): void {
    this.#gathering?.stop();
    if (this.#gathering !== undefined) this.#book.forget(this.#gathering.cookie);
    this.#gathering = undefined;
  }

  #takeDescription(now: InstantMs, offer: CareOfTestInitIce, remote: MipIceDescription): void {
    this.#host.recall(remote.credentials);
    const { remoteCredentials, env, peer } = this.#host;
    const kind = kindOf(remote, remoteCredentials);
    const crossing = crossingOf(now, kind, this.#offerer, comparesHigher(env.homeAddress, peer));
    const isRepeatedStraggler = crossing === "straggles" && this.#book.find(offer.careOfInitCookie) !== undefined;
    if (kind === "half-changed") this.#count("dropped.offer-half-changed");
    else if (crossing !== "none" && !isRepeatedStraggler) this.#ignore(offer, crossing);
    else if (keyModeOf(remote) !== env.keys)
      this.#refuse(now, offer, remote, describeKeyMismatch(env.keys, keyModeOf(remote)));
    else if (kind === "refresh") this.#confirm(now, offer, remote);
    else if (!hasDefaultCandidate(remote, peer)) this.#refuse(now, offer, remote, NO_DEFAULT_CANDIDATE);
    else this.#accept(now, offer, remote, kind === "restart");
  }

  #ignore({ careOfInitCookie }: CareOfTestInitIce, crossing: Exclude<Crossing, "none">): void {
    this.#book.record(careOfInitCookie, { type: crossing === "loses" ? "lost" : "straggler" });
    this.#count(`ignored.offer-${crossing}`);
  }

  /** Gathers, then answers with a new generation. */
  #accept(now: InstantMs, offer: CareOfTestInitIce, remote: MipIceDescription, isRestart: boolean): void {
    const { env, peer, path } = this.#host;
    this.#report(remote, isRestart);
    this.#offerer.abandon();
    this.abandon();
    if (path.route !== undefined && !listsCandidate(remote, path.route.remote)) this.#host.doubt(now);
    this.#book.record(offer.careOfInitCookie, { type: "pending" });
    const stop = this.#host.gather(now, (at, gathered) => {
      const candidates = withinReach(gathered, remote.candidates);
      this.#gathering = undefined;
      const careOf = env.correspondent.careOfToken(at, peer);
      const keyed = this.#keysFor(at, offer, remote, careOf);
      if (keyed === undefined) {
        stop();
        this.#book.forget(offer.careOfInitCookie);
        this.#count("dropped.offer-nonce");
        return;
      }
      const generation = createGeneration(
        { startedAt: now, origin: "answer", candidates, credentials: keyed.own, releaseCandidates: stop },
        env,
      );
      this.#host.adopt(at, generation);
      this.#host.remoteCredentials = remote.credentials;
      this.#answer(offer, describeGeneration(generation, "answer"), careOf);
      setRemote(at, generation, { ...remote, credentials: keyed.peer });
    });
    this.#gathering = { cookie: offer.careOfInitCookie, stop };
  }

  /**
   * Credentials of both ends; undefined when they have to be derived and the offer's home nonce is missing or expired.
   */
  #keysFor(
    now: InstantMs,
    offer: CareOfTestInitIce,
    { credentials: peer }: MipIceDescription,
    careOf: IndexedToken,
  ): { readonly own: IceCredentials; readonly peer: IceCredentials } | undefined {
    const { env, peer: homeAddress } = this.#host;
    const own = makeCredentials(env.rng);
    if (env.keys === "signalled") return { own, peer };
    const home = findOption(offer.options, "nonce-indices")?.home;
    if (home === undefined) return undefined;
    const kbm = env.correspondent.bindingKey(now, homeAddress, { home, careOf: careOf.index }, false);
    if (!kbm.ok) return undefined;
    const ufrags = { offer: peer.ufrag, answer: own.ufrag };
    return {
      own: { ...own, pwd: derivedPassword(kbm.key, "answer", ufrags) },
      peer: { ...peer, pwd: derivedPassword(kbm.key, "offer", ufrags) },
    };
  }

  /** Answers an offer with unchanged credentials, which only requests fresh tokens. */
  #confirm(now: InstantMs, offer: CareOfTestInitIce, remote: MipIceDescription): void {
    const { generation, env, peer } = this.#host;
    this.#report(remote, false);
    if (generation === undefined) this.#count("dropped.refresh-without-session");
    else this.#answer(offer, describeGeneration(generation, "answer"), env.correspondent.careOfToken(now, peer));
  }

  #refuse(now: InstantMs, offer: CareOfTestInitIce, remote: MipIceDescription, reason: string): void {
    const { env, peer } = this.#host;
    this.#report(remote, false);
    const refusal = { ...MISMATCH_ANSWER, options: keyModeOptions(env.keys) };
    this.#answer(offer, refusal, env.correspondent.careOfToken(now, peer));
    this.#host.fail(now, reason);
  }

  #answer({ careOfInitCookie }: CareOfTestInitIce, description: MipIceDescription, careOf: IndexedToken): void {
    const { env, peer } = this.#host;
    const answer: MobilityMessageOf<"care-of-test-ice"> = {
      type: "care-of-test-ice",
      careOfNonceIndex: careOf.index,
      careOfInitCookie,
      careOfKeygenToken: careOf.token,
      options: encodeMipIce(description),
    };
    this.#book.record(careOfInitCookie, { type: "answered", header: env.link.send(peer, answer, HOME_WAY) });
    env.outbox.emit({ type: "answer-sent", peer, candidates: description.candidates.map(candidateView) });
  }

  #report(offer: MipIceDescription, isRestart: boolean): void {
    const { env, peer } = this.#host;
    env.outbox.emit({ type: "offer-received", peer, candidates: offer.candidates.map(candidateView), isRestart });
  }

  #count(name: string): void {
    this.#host.env.outbox.count(name);
  }
}

function kindOf({ credentials, options }: MipIceDescription, last: IceCredentials | undefined): OfferKind {
  if (last === undefined) return "first";
  const isSameUfrag = credentials.ufrag === last.ufrag;
  const isDerived = keyModeOf({ options }) === "rr";
  if (!isDerived && isSameUfrag !== (credentials.pwd === last.pwd)) return "half-changed";
  return isSameUfrag ? "refresh" : "restart";
}

/** A refresh yields to an offer of new credentials from either end; else the larger home address's offer counts. */
function crossingOf(now: InstantMs, kind: OfferKind, offerer: Offerer, isOwnHigher: boolean): Crossing {
  const { offering, answeredAt } = offerer;
  const isOfferingAnew = offering !== undefined && offering !== "refresh";
  if (kind === "refresh") return isOfferingAnew ? "loses" : "none";
  if (isOfferingAnew) return isOwnHigher ? "loses" : "none";
  const isJustAnswered = answeredAt !== undefined && now - answeredAt < STRAGGLER_WINDOW_MS;
  return isJustAnswered && isOwnHigher ? "straggles" : "none";
}

/** Compares home addresses as unsigned 128-bit numbers. */
function comparesHigher(own: string, peer: string): boolean {
  return Buffer.compare(addressToBytes(own), addressToBytes(peer)) > 0;
}

const NO_DEFAULT_CANDIDATE = "the offer does not list the peer's home address (ice-mismatch)";

/** The default candidate is the address that a peer without ICE would send to: the home address. */
function hasDefaultCandidate({ candidates }: MipIceDescription, peer: string): boolean {
  return candidates.some(({ type, address }) => type === "relayed" && address.ip === peer);
}
